import assert from "node:assert/strict";
import { test } from "node:test";
import { entryNumber } from "../../../web/scripts/entries/words.js";

test("entries are numbered as in the audit mail", () => {
  assert.equal(entryNumber(42), "#000042");
});
