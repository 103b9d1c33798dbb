/** The payment form's rules: from what is typed to what is shown and sent. No DOM, no clock, no network. */

import { METHODS, labelOf } from "../entries/methods.js";
import { formatCents, parseAmount } from "../kit/money.js";
import { CARD_REFUSAL, characters, looksLikeCard, oneLine } from "../kit/text.js";

/** @typedef {"patron" | "amount" | "method" | "reference" | "note" | "timestamp"} Field */
/** @typedef {Partial<Record<Field | "form", string>>} Errors */
/**
 * @typedef {object} FormState
 * @property {import("../sending/life-cycle.js").Phase} phase
 * @property {string} eventName
 * @property {Patron | null} patron
 * @property {string} patronText the text in the patron field
 * @property {string} amountText
 * @property {Method | ""} method
 * @property {string} reference
 * @property {string} note
 * @property {Errors} errors
 * @property {boolean} refused whether an attempt to log it failed; then a summary lists the errors
 * @property {{tone: "good" | "warn", text: string} | null} notice about the payment before: just logged, or not saved
 * @property {ReadonlyMap<string, number> | null} totals cents by patron e-mail; null until they are known
 */

/** Fields in the order they are filled in, which is also the order in which errors get the focus. */
export const FIELD_ORDER = /** @type {const} */ (["patron", "amount", "method", "reference", "note", "timestamp"]);

/** As on the server; tests/web/test_facts.py compares them. */
export const NOTE_LIMIT = 280;
export const REFERENCE_LIMIT = 40;
export const UNUSUAL_CENTS = 500_000;


/** @param {string} eventName @param {Patron | null} patron @returns {FormState} */
export function emptyForm(eventName, patron = null) {
  return {
    phase: "editing",
    eventName,
    patron,
    patronText: patron?.name ?? "",
    amountText: "",
    method: "",
    reference: "",
    note: "",
    errors: {},
    refused: false,
    notice: null,
    totals: null,
  };
}

/**
 * The form as it was when its payment was sent.
 * @param {{eventName: string, patronName: string}} pending
 * @param {import("../sending/pending.js").Body} body
 * @returns {FormState}
 */
export function sentForm({ eventName, patronName }, body) {
  const email = String(body.patron_email);
  return {
    ...emptyForm(eventName, { email, name: patronName || email }),
    amountText: String(body.amount),
    method: /** @type {Method} */ (body.method),
    reference: String(body.reference ?? ""),
    note: String(body.note ?? ""),
  };
}

/** @param {FormState} state @returns {boolean} whether closing would lose something */
export function isDirty({ patron, patronText, amountText, method, reference, note }, locked = false) {
  const patronTouched = !locked && (patron !== null || patronText.trim() !== "");
  return patronTouched || [amountText, method, reference, note].some((text) => text.trim() !== "");
}

/**
 * @param {FormState} state
 * @returns {Errors} empty when the form can be sent
 */
export function validate(state) {
  /** @type {Errors} */
  const errors = {};
  if (!state.patron) {
    errors.patron = state.patronText.trim()
      ? "Pick a name from the list; only patrons on this event’s roster can be chosen."
      : "Choose a patron from the roster.";
  }
  const amount = parseAmount(state.amountText);
  if (!amount.ok) errors.amount = amount.reason;
  if (!state.method) errors.method = "Choose how it was paid.";
  const rule = state.method ? METHODS[state.method].reference : null;
  const reference = state.reference.trim();
  if (rule?.required && !reference) errors.reference = rule.missing;
  else if (rule && characters(reference) > REFERENCE_LIMIT) {
    errors.reference = `Use at most ${REFERENCE_LIMIT} characters.`;
  } else if (rule && looksLikeCard(reference)) errors.reference = CARD_REFUSAL;
  if (characters(oneLine(state.note)) > NOTE_LIMIT) errors.note = `Use at most ${NOTE_LIMIT} characters.`;
  else if (looksLikeCard(state.note)) errors.note = CARD_REFUSAL;
  return errors;
}

/**
 * @param {FormState} state one that validates
 * @param {string} eventId
 * @param {number} timestamp epoch ms
 */
export function requestBody(state, eventId, timestamp) {
  const amount = parseAmount(state.amountText);
  if (!state.patron || !amount.ok || !state.method) throw new TypeError("the form is not complete");
  const reference = METHODS[state.method].reference ? state.reference.trim() : "";
  const note = oneLine(state.note);
  return {
    event_id: eventId,
    patron_email: state.patron.email,
    amount: amount.amount,
    method: state.method,
    timestamp,
    ...(reference && { reference }),
    ...(note && { note }),
  };
}

/**
 * The server's errors by the fields they are about; those without a field go to the top of the form.
 * @param {readonly FieldError[]} fields
 * @param {string} message used when no field is named
 * @returns {Errors}
 */
export function errorsFromServer(fields, message) {
  /** @type {Errors} */
  const errors = {};
  for (const { field, message: text } of fields) {
    const name = String(field).split(/[./]/).at(-1) ?? "";
    const known = name === "patron_email" ? "patron" : FIELD_ORDER.find((candidate) => candidate === name);
    errors[known ?? "form"] ??= text;
  }
  if (Object.keys(errors).length === 0) errors.form = message;
  return errors;
}

/** @param {Errors} errors @returns {Field | null} the field that takes the focus */
export function firstError(errors) {
  return FIELD_ORDER.find((field) => errors[field]) ?? null;
}

/**
 * Everything the form shows, computed from the state.
 * @param {FormState} state
 */
export function viewOf(state) {
  const amount = parseAmount(state.amountText);
  const rule = state.method ? METHODS[state.method].reference : null;
  const already = state.patron ? (state.totals?.get(state.patron.email) ?? 0) : 0;
  const used = characters(oneLine(state.note));
  return {
    locked: state.phase !== "editing",
    problems: state.refused ? problems(state.errors) : null,
    submitLabel: state.phase === "submitting" ? "Logging…" : "Log payment",
    reference: rule,
    patronHint: state.patron && state.patron.name !== state.patron.email ? state.patron.email : "",
    amountHelper: amountHelper(state, amount, already),
    unusual: amount.ok && amount.cents >= UNUSUAL_CENTS
      ? `${formatCents(amount.cents)} is an unusually large payment. Please double-check.`
      : "",
    noteCount: `${used} / ${NOTE_LIMIT}`,
    noteOver: used > NOTE_LIMIT,
    summary: summary(state, amount),
  };
}

/** @param {Errors} errors @returns {{title: string, items: {field: Field, text: string}[]} | null} null when there are none */
function problems({ form, ...errors }) {
  const items = FIELD_ORDER.flatMap((field) => {
    const text = errors[field];
    return text ? [{ field, text }] : [];
  });
  if (!form && items.length === 0) return null;
  const count = items.length === 1 ? "one thing" : `${items.length} things`;
  return { title: form ?? `Fix ${count} to log this payment:`, items };
}

/** @param {FormState} state @param {import("../kit/money.js").ParsedAmount} amount @param {number} already */
function amountHelper({ patron, totals }, amount, already) {
  if (!patron || !totals) return "";
  if (!amount.ok) return already ? `${patron.name} has already paid ${formatCents(already)} for this event.` : "";
  return `${patron.name}’s total for this event will be ${formatCents(already + amount.cents)}.`;
}

/**
 * The sentence above the buttons, in pieces; the strong ones are what an admin should check.
 * @param {FormState} state
 * @param {import("../kit/money.js").ParsedAmount} amount
 * @returns {{text: string, strong?: boolean}[]}
 */
function summary({ patron, method, eventName }, amount) {
  if (!patron || !amount.ok || !method) return [{ text: "A logged payment cannot be edited or deleted." }];
  return [
    { text: "You are logging " },
    { text: `${formatCents(amount.cents)} ${labelOf(method)}`, strong: true },
    { text: " for " },
    { text: patron.name, strong: true },
    { text: " at " },
    { text: eventName, strong: true },
    { text: ". It cannot be edited; mistakes are voided with a reason." },
  ];
}
