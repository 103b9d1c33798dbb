import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeTie, entryNumber, kindOf, reasonOf, signedAmount, tieOf,
} from "../../../web/scripts/entries/words.js";

test("entries are numbered as in the audit mail", () => {
  assert.equal(entryNumber(42), "#000042");
});

test("what takes money away is shown with a minus", () => {
  const amount = (kind) => signedAmount({ kind, amount_cents: 5_000 });
  assert.deepEqual(["payment", "void", "refund"].map(amount), ["$50.00", "−$50.00", "−$50.00"]);
});

test("a refund is called a refund, and its reason has words of its own", () => {
  assert.equal(kindOf({ kind: "refund" }), "Refund");
  assert.equal(reasonOf({ kind: "refund", reason: "event_cancelled" }), "Event cancelled");
  assert.equal(reasonOf({ kind: "void", reason: "entered_twice" }), "Entered twice");
  assert.equal(reasonOf({ kind: "refund", reason: "new_one" }), "new_one");
  assert.equal(reasonOf({ kind: "payment" }), "");
});

test("a row says what it undoes or replaces, and above all that it is voided", () => {
  const say = (entry, number = "#000041") => {
    const tie = tieOf(entry);
    return tie && describeTie(tie, number);
  };
  assert.equal(say({ voids: "pay_1" }), "Voids #000041");
  assert.equal(say({ refunds: "pay_1" }), "Refunds #000041");
  assert.equal(say({ corrects: "pay_1" }), "Replaces #000041");
  assert.equal(say({ corrects: "pay_1", voided_by: "pay_2" }), "Voided by #000041");
  assert.equal(say({ voided_by: "pay_2" }, ""), "Voided");
  assert.equal(say({ refunds: "pay_1" }, ""), "Refunds a payment");
  assert.equal(say({}), null);
});
