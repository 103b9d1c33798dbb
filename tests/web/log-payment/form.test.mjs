import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emptyForm, errorsFromServer, firstError, isDirty, requestBody, sentForm, validate, viewOf,
} from "../../../web/scripts/log-payment/form.js";

const JANE = { email: "jane.doe@example.com", name: "Jane Doe" };

/** @param {object} [change] */
function filled(change = {}) {
  return { ...emptyForm("Sunset Charter", JANE), amountText: "$1,250", method: "cash", ...change };
}

test("an empty form asks for a patron, an amount and a method, in this order", () => {
  const errors = validate(emptyForm("Sunset Charter"));
  assert.deepEqual(Object.keys(errors), ["patron", "amount", "method"]);
  assert.equal(firstError(errors), "patron");
});

test("no method is chosen beforehand", () => {
  assert.equal(emptyForm("Sunset Charter").method, "");
});

test("a name that is typed but not chosen from the roster is not a patron", () => {
  const errors = validate(filled({ patron: null, patronText: "Jane" }));
  assert.match(errors.patron, /Pick a name/);
});

test("a check needs its number, cash has none, the others may have one", () => {
  assert.match(validate(filled({ method: "check" })).reference, /check number/);
  assert.deepEqual(validate(filled({ method: "check", reference: "1042" })), {});
  for (const method of ["cash", "credit_card", "ach"]) assert.deepEqual(validate(filled({ method })), {});
  assert.equal(viewOf(filled()).reference, null);
  assert.deepEqual(
    ["check", "credit_card", "ach"].map((method) => viewOf(filled({ method })).reference?.label),
    ["Check number", "Last 4 or auth code", "ACH trace number"],
  );
});

test("a reference typed before the method became cash is not sent", () => {
  const body = requestBody(filled({ reference: "1042" }), "sunset-charter", 1_000);
  assert.deepEqual(body, {
    event_id: "sunset-charter",
    patron_email: "jane.doe@example.com",
    amount: "1250.00",
    method: "cash",
    timestamp: 1_000,
  });
});

test("a note is sent on one line", () => {
  assert.equal(requestBody(filled({ note: " two\nlines " }), "e", 1).note, "two lines");
});

test("a note of 280 characters fits, one of 281 does not, whatever their encoding", () => {
  assert.equal(validate(filled({ note: "⚓".repeat(140) + "🚢".repeat(140) })).note, undefined);
  const over = filled({ note: "🚢".repeat(281) });
  assert.match(validate(over).note, /280/);
  assert.deepEqual([viewOf(over).noteCount, viewOf(over).noteOver], ["281 / 280", true]);
});

test("card numbers are refused in the reference and in the note", () => {
  for (const text of ["4111111111111111", "4111 1111 1111 1111", "3782-822463-10005", "card 5555555555554444 ok"]) {
    assert.match(validate(filled({ method: "credit_card", reference: text })).reference, /card numbers/);
    assert.match(validate(filled({ note: text })).note, /card numbers/);
  }
});

test("the summary says what, for whom and where", () => {
  const text = viewOf(filled()).summary.map((piece) => piece.text).join("");
  assert.equal(
    text,
    "You are logging $1,250.00 cash for Jane Doe at Sunset Charter. It cannot be edited; mistakes are voided with a reason.",
  );
});

test("the patron's new total appears once all earlier payments are known", () => {
  assert.equal(viewOf(filled()).amountHelper, "");
  const totals = new Map([[JANE.email, 2_500]]);
  assert.match(viewOf(filled({ totals })).amountHelper, /will be \$1,275\.00/);
  assert.match(viewOf(filled({ totals, amountText: "" })).amountHelper, /already paid \$25\.00/);
});

test("an unusual amount is questioned, not refused", () => {
  const state = filled({ amountText: "5000" });
  assert.match(viewOf(state).unusual, /\$5,000\.00/);
  assert.deepEqual(validate(state), {});
  assert.equal(viewOf(filled({ amountText: "4999.99" })).unusual, "");
});

test("fields are locked in every phase but editing", () => {
  assert.deepEqual(
    ["editing", "submitting", "unknown", "duplicate"].map((phase) => viewOf(filled({ phase })).locked),
    [false, true, true, true],
  );
  assert.equal(viewOf(filled({ phase: "submitting" })).submitLabel, "Logging…");
});

test("the server's errors go to their fields, the rest to the top", () => {
  assert.deepEqual(
    errorsFromServer([
      { field: "patron_email", code: "patron_not_on_roster", message: "not on the roster" },
      { field: "amount", code: "amount_invalid", message: "too much" },
      { field: "event_id", code: "event_not_found", message: "no such event" },
    ], "unused"),
    { patron: "not on the roster", amount: "too much", form: "no such event" },
  );
  assert.deepEqual(errorsFromServer([], "You may not do this."), { form: "You may not do this." });
});

test("a form is dirty as soon as closing it would lose something", () => {
  assert.equal(isDirty(emptyForm("E")), false);
  assert.equal(isDirty({ ...emptyForm("E"), note: "x" }), true);
  assert.equal(isDirty({ ...emptyForm("E"), patronText: "Ja" }), true);
  assert.equal(isDirty(emptyForm("E", JANE), true), false, "a patron that came with the form is nothing typed");
});

test("errors are summed up only after an attempt to log, in the order of the fields", () => {
  const state = filled({ errors: { method: "Choose.", amount: "Too much." } });
  assert.equal(viewOf(state).problems, null);
  const { problems } = viewOf({ ...state, refused: true });
  assert.deepEqual(problems?.items.map(({ field }) => field), ["amount", "method"]);
  assert.match(problems?.title ?? "", /Fix 2 things/);
  assert.equal(viewOf(filled({ refused: true })).problems, null, "nothing is left to fix");
  assert.equal(viewOf(filled({ refused: true, errors: { form: "No." } })).problems?.title, "No.");
});

test("a reopened form shows what was sent", () => {
  const state = filled({ method: "check", reference: "1042", note: "deposit" });
  const body = requestBody(state, "sunset-charter", 1_000);
  const again = sentForm({ eventName: "Sunset Charter", patronName: "Jane Doe" }, body);
  assert.deepEqual(requestBody(again, "sunset-charter", 1_000), body);
  assert.deepEqual([again.eventName, again.patron], ["Sunset Charter", JANE]);
});
