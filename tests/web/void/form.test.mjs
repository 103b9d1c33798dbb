import assert from "node:assert/strict";
import { test } from "node:test";
import {
  changes, check, choosing, emptyVoid, isTouched, outcome, sentVoid, sortErrors, voidBody, voidedMessage,
} from "../../../web/scripts/void/form.js";

const PAYMENT = {
  payment_id: "pay_1", seq: 42, kind: "payment", event_id: "sunset", event_name: "Sunset", patron_email: "jane@example.com",
  patron_name: "Jane Doe", amount: "50.00", amount_cents: 5_000, method: "check", reference: "1042", note: "for two",
};
const form = (reason, more = {}) => {
  const state = { ...emptyVoid(PAYMENT), ...choosing(reason) };
  return { ...state, ...more, correction: { ...state.correction, ...more.correction } };
};

test("a void needs a reason, and the reason Other needs a note", () => {
  assert.ok(check(emptyVoid(PAYMENT)).own.reason);
  assert.deepEqual(check(form("entered_twice")).own, {});
  assert.ok(check(form("other")).own.note);
  assert.deepEqual(check(form("other", { note: "Boat sank" })).own, {});
  assert.ok(check(form("other", { note: "x".repeat(281) })).own.note);
  assert.match(check(form("other", { note: "card 4111 1111 1111 1111" })).own.note, /card/);
});

test("a payment that was logged wrongly is corrected in the same step", () => {
  for (const reason of ["wrong_amount", "wrong_patron", "wrong_method"]) assert.equal(form(reason).correcting, true);
  for (const reason of ["entered_twice", "payment_returned", "other"]) assert.equal(form(reason).correcting, false);
});

test("a correction that changes nothing is not sent", () => {
  assert.match(check(form("wrong_amount")).own.form, /the same as the original/);
  assert.deepEqual(check(form("wrong_amount", { correction: { amountText: "55" } })), { own: {}, correction: {} });
  assert.ok(check(form("wrong_amount", { correction: { amountText: "1,23" } })).correction.amount);
});

test("the body has the reason and the correction", () => {
  assert.deepEqual(voidBody(form("payment_returned", { note: " it\nbounced " })), { reason: "payment_returned", note: "it bounced" });
  assert.deepEqual(voidBody(form("wrong_method", { correction: { method: "cash" } })), {
    reason: "wrong_method",
    replacement: { patron_email: "jane@example.com", amount: "50.00", method: "cash", note: "for two" },
  });
});

test("a form that was sent before a reload is shown as it was", () => {
  const sent = form("wrong_amount", { note: "misread", correction: { amountText: "1,055" } });
  const again = sentVoid(PAYMENT, voidBody(sent));
  assert.deepEqual(voidBody(again), voidBody(sent));
  assert.ok(isTouched(again));
});

test("errors go to the void's own fields or to the corrected payment's", () => {
  const sorted = sortErrors([
    { field: "replacement.amount", code: "x", message: "Too much." },
    { field: "note", code: "x", message: "Say why." },
    { field: "replacement.event_id", code: "x", message: "Another event." },
  ], "Refused.");
  assert.equal(sorted.correction.amount, "Too much.");
  assert.deepEqual(sorted.own, { note: "Say why.", form: "Another event." });
  assert.equal(sortErrors([], "Refused.").own.form, "Refused.");
});

test("the preview shows before and after", () => {
  assert.deepEqual(changes(form("payment_returned")).map(({ before, after }) => [before, after]), [["$50.00", "$0.00"]]);
  const lines = changes(form("wrong_amount", { correction: { amountText: "55", patron: null } }));
  assert.deepEqual(lines.map(({ after, changed }) => [after, changed]), [
    ["—", true], ["$55.00", true], ["check", false], ["1042", false],
  ]);
  assert.equal(outcome(form("entered_twice")).was, "$50.00 check · Jane Doe");
  assert.equal(outcome(form("entered_twice")).becomes, "$0.00");
  assert.equal(outcome(form("wrong_amount", { correction: { amountText: "5", method: "cash" } })).becomes, "$5.00 cash · Jane Doe");
  assert.equal(outcome(form("wrong_amount", { correction: { amountText: "x", patron: null } })).becomes, "… check · …");
});

test("the message distinguishes a replay from a new void", () => {
  const result = { void: { ...PAYMENT, seq: 43 }, replacement: { ...PAYMENT, seq: 44, amount_cents: 5_500 } };
  assert.match(voidedMessage(PAYMENT, { ...result, replayed: false }).text, /Void #000043\. Corrected as #000044 · \$55\.00/);
  assert.match(voidedMessage(PAYMENT, { ...result, replayed: true }).text, /not voided twice/);
});
