import assert from "node:assert/strict";
import { test } from "node:test";
import { describeDoubtfulRow } from "../../../web/scripts/screens/doubtful-rows.js";

const nothing = { event_id: null, seq: null, payment_id: null, patron_name: null, problem: "seq is missing" };

test("a row that is not as it was written is named as far as it can be read", () => {
  const row = { ...nothing, event_id: "sunset-charter", seq: 1, patron_name: "Jane Doe" };
  assert.equal(describeDoubtfulRow(row), "#000001 of sunset-charter (Jane Doe) is not as it was written: tell operations");
  assert.equal(describeDoubtfulRow(nothing), "An entry is not as it was written: tell operations");
});
