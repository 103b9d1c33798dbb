import assert from "node:assert/strict";
import { test } from "node:test";
import { isOld, isWhole, mailTrouble, methodShares, withPayment } from "../../../web/scripts/entries/event-sums.js";

const EVENT = { payments_count: 2, total: "75.00", totals_by_method: { cash: "50.00", check: "25.00" } };

test("a payment adds to the sums, a void subtracts", () => {
  const more = withPayment(EVENT, { kind: "payment", method: "ach", amount_cents: 1_010, logged_at: 5 });
  assert.deepEqual(more, {
    payments_count: 3, total: "85.10", last_payment_at: 5, totals_by_method: { cash: "50.00", check: "25.00", ach: "10.10" },
  });
  assert.equal(withPayment(EVENT, { kind: "void", method: "cash", amount_cents: 5_000, logged_at: 6 }).total, "25.00");
});

test("a refund takes money away, and its payment still counts", () => {
  const less = withPayment(EVENT, { kind: "refund", method: "cash", amount_cents: 6_000, logged_at: 7 });
  assert.deepEqual([less.payments_count, less.total, less.totals_by_method.cash], [2, "15.00", "-10.00"]);
  const shares = methodShares({ totals_by_method: less.totals_by_method });
  assert.deepEqual(shares.map(({ name, amount, share }) => [name, amount, share]), [
    ["Cash", "-$10.00", 0], ["Check", "$25.00", 100],
  ]);
});

test("totals by method are left out when the server sends none", () => {
  const { totals_by_method: _, ...event } = EVENT;
  assert.equal("totals_by_method" in withPayment(event, { kind: "payment", method: "ach", amount_cents: 1, logged_at: 1 }), false);
  assert.deepEqual(methodShares(event), []);
});

test("shares are percent of the whole, zeros left out", () => {
  assert.deepEqual(methodShares({ totals_by_method: { ...EVENT.totals_by_method, ach: "0.00" } }).map(({ name, amount, share }) => [name, amount, share]), [
    ["Cash", "$50.00", 67], ["Check", "$25.00", 33],
  ]);
});

test("failed mails are reported before late ones", () => {
  assert.deepEqual(mailTrouble({ audit: { failed: 1, late: 3 } }), { text: "1 audit mail failed", tone: "bad" });
  assert.deepEqual(mailTrouble({ audit: { failed: 0, late: 3 } }), { text: "3 audit mails late", tone: "warn" });
  assert.equal(mailTrouble({ audit: { failed: 0, late: 0 } }), null);
  assert.equal(mailTrouble({}), null);
});

test("without its deleted entries, an event is not whole", () => {
  const of = (/** @type {number[]} */ ...numbers) => isWhole(numbers.map((seq) => ({ seq })));
  assert.deepEqual([of(), of(1), of(3, 2, 1), of(2), of(3, 1), of(1, 1, 2)], [true, true, true, false, false, true]);
});

test("an event is old shortly before its entries reach seven years", () => {
  const now = Date.parse("2026-11-27T00:00:00Z");
  assert.deepEqual(["2019-11-29", "2020-01-20", "2020-02-10", "2026-11-28"].map((day) => isOld(day, now)), [true, true, false, false]);
});
