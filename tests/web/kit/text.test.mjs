import assert from "node:assert/strict";
import { test } from "node:test";
import { fold } from "../../../web/scripts/kit/text.js";

test("folding keeps what tells people apart", () => {
  assert.notEqual(fold("李"), fold("龍"));
  assert.equal(fold(" Straße "), "strasse");
});
