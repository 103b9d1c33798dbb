import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, linksOf } from "../../../web/scripts/entries/links.js";

const entry = (seq, more = {}) => ({
  payment_id: `pay_${seq}`, seq, kind: "payment", logged_at: seq * 1_000, logged_by: "admin@example.com",
  patron_email: "jane@example.com", patron_name: "Jane", amount_cents: 5_000, method: "cash", reference: "", ...more,
});
const original = entry(1, { voided_by: "pay_2" });
const theVoid = entry(2, { kind: "void", voids: "pay_1", logged_at: 9_000 });
const correction = entry(3, { amount_cents: 5_500, logged_at: 9_000, corrects: "pay_1" });
const later = entry(4);

test("a voided payment, its void and its correction find each other", () => {
  const all = [later, correction, theVoid, original];
  assert.equal(linksOf(original, all).voided, theVoid);
  assert.equal(linksOf(original, all).correction, correction);
  assert.equal(linksOf(theVoid, all).original, original);
  assert.equal(linksOf(theVoid, all).correction, correction);
  assert.equal(linksOf(correction, all).corrects, original);
  assert.equal(linksOf(correction, all).previous, theVoid);
});

test("an entry that merely follows a void is not its correction", () => {
  for (const next of [entry(3, { logged_at: 9_000 }), { ...correction, corrects: "pay_9" }]) {
    assert.equal(linksOf(original, [original, theVoid, next]).correction, null);
    assert.equal(linksOf(next, [original, theVoid, next]).corrects, null);
  }
});

test("a refund finds the payment that it gives back", () => {
  const refund = entry(5, { kind: "refund", refunds: "pay_1" });
  assert.equal(linksOf(refund, [original, refund]).refunds, original);
  assert.equal(linksOf(refund, [original, refund]).original, null);
});

test("unknown entries are left out", () => {
  assert.deepEqual(linksOf(original, []), {
    original: null, voided: null, correction: null, corrects: null, refunds: null, previous: null,
  });
});

test("changes are listed line by line, and two people with the same name stay two people", () => {
  const changed = differences(original, { ...correction, patron_email: "jane.2@example.com" }).filter((line) => line.changed);
  assert.deepEqual(changed.map(({ label, before, after }) => [label, before, after]), [
    ["Patron", "Jane (jane@example.com)", "Jane (jane.2@example.com)"], ["Amount", "$50.00", "$55.00"],
  ]);
  assert.deepEqual(differences(original, null), [{ label: "Counts as", before: "$50.00", after: "$0.00", changed: true }]);
});
