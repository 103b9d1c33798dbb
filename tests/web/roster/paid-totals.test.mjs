import assert from "node:assert/strict";
import { test } from "node:test";
import { totalsByPatron } from "../../../web/scripts/roster/paid-totals.js";

test("what was given back is not paid", () => {
  const row = { patron_email: "jane.doe@example.com", amount_cents: 2_500, kind: "payment", payment_id: "pay_1" };
  const refund = { ...row, kind: "refund", payment_id: "pay_2", refunds: "pay_1", amount_cents: 1_000 };
  assert.equal(totalsByPatron([row, refund]).get("jane.doe@example.com"), 1_500);
});

test("voided payments and voids do not count", () => {
  const row = { patron_email: "jane.doe@example.com", amount_cents: 2_500, kind: "payment" };
  const totals = totalsByPatron([
    { ...row, payment_id: "pay_1" },
    { ...row, payment_id: "pay_2" },
    { ...row, payment_id: "pay_3", kind: "void", voids: "pay_1" },
  ]);
  assert.equal(totals.get("jane.doe@example.com"), 2_500);
});

test("a voided payment does not count when its void was deleted first", () => {
  const row = { patron_email: "jane.doe@example.com", amount_cents: 2_500, kind: "payment" };
  const totals = totalsByPatron([
    { ...row, payment_id: "pay_1", voided_by: "pay_3" },
    { ...row, payment_id: "pay_2", voided_by: null },
  ]);
  assert.equal(totals.get("jane.doe@example.com"), 2_500);
});
