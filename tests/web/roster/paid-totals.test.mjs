import assert from "node:assert/strict";
import { test } from "node:test";
import { totalsByPatron } from "../../../web/scripts/roster/paid-totals.js";

test("voided payments and voids do not count", () => {
  const row = { patron_email: "jane.doe@example.com", amount_cents: 2_500, kind: "payment" };
  const totals = totalsByPatron([
    { ...row, payment_id: "pay_1" },
    { ...row, payment_id: "pay_2" },
    { ...row, payment_id: "pay_3", kind: "void", voids: "pay_1" },
  ]);
  assert.equal(totals.get("jane.doe@example.com"), 2_500);
});
