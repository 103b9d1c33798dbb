/** The rules for voiding an entry, with or without a corrected payment. No DOM, no clock, no network. */

import { differences, patronBeside } from "../entries/links.js";
import { METHODS, labelOf } from "../entries/methods.js";
import { describePayment, entryNumber } from "../entries/words.js";
import { formatCents, parseAmount } from "../kit/money.js";
import { CARD_REFUSAL, characters, looksLikeCard, oneLine } from "../kit/text.js";
import { NOTE_LIMIT, emptyForm, errorsFromServer, requestBody, validate } from "../log-payment/form.js";

/** @typedef {import("../log-payment/form.js").FormState} FormState */
/** @typedef {Partial<Record<"reason" | "note" | "form", string>>} VoidErrors */
/**
 * @typedef {object} VoidState
 * @property {import("../sending/life-cycle.js").Phase} phase
 * @property {Payment} payment
 * @property {string} reason "" until one is chosen
 * @property {string} note why it is voided, in the user's words
 * @property {boolean} correcting
 * @property {FormState} correction
 * @property {VoidErrors} errors
 */

/**
 * The field that a reason says is wrong: the money was paid, but written down wrongly.
 * @type {Record<string, import("../log-payment/form.js").Field>}
 */
export const WRONG_FIELD = { wrong_amount: "amount", wrong_patron: "patron", wrong_method: "method" };

/** @param {Payment} payment @returns {VoidState} */
export function emptyVoid(payment) {
  return {
    phase: "editing", payment, reason: "", note: "", correcting: false,
    correction: {
      ...emptyForm(payment.event_name, { email: payment.patron_email, name: payment.patron_name }),
      amountText: payment.amount,
      method: payment.method,
      reference: payment.reference ?? "",
      note: payment.note ?? "",
    },
    errors: {},
  };
}

/**
 * The form as it was when it was sent.
 * @param {Payment} payment
 * @param {Record<string, any>} body
 * @returns {VoidState}
 */
export function sentVoid(payment, { reason, note = "", replacement }) {
  const state = emptyVoid(payment);
  if (!replacement) return { ...state, reason, note };
  const { patron_email: email, amount, method, reference = "", note: words = "" } = replacement;
  const patron = email === payment.patron_email ? state.correction.patron : { email, name: email };
  return {
    ...state, reason, note, correcting: true,
    correction: {
      ...state.correction, patron, patronText: patron?.name ?? "", amountText: amount, method, reference, note: words,
    },
  };
}

/** @param {string} reason @returns {Partial<VoidState>} with the usual choice for that reason */
export function choosing(reason) {
  return { reason, correcting: Object.hasOwn(WRONG_FIELD, reason), errors: {} };
}

/** @param {VoidState} state @returns {boolean} whether closing would lose something */
export function isTouched({ reason, note }) {
  return reason !== "" || note.trim() !== "";
}

/** @param {VoidState} state @returns {{own: VoidErrors, correction: import("../log-payment/form.js").Errors}} */
export function check(state) {
  /** @type {VoidErrors} */
  const own = {};
  const note = state.note.trim();
  if (!state.reason) own.reason = "Choose a reason.";
  if (state.reason === "other" && !note) own.note = "Explain why in a few words.";
  else if (characters(note) > NOTE_LIMIT) own.note = `Use at most ${NOTE_LIMIT} characters.`;
  else if (looksLikeCard(note)) own.note = CARD_REFUSAL;
  const correction = state.correcting ? validate(state.correction) : {};
  if (state.correcting && Object.keys(correction).length === 0 && !changes(state).some(({ changed }) => changed)) {
    own.form = "The corrected payment is the same as the original. Change what was wrong, or void it without a correction.";
  }
  return { own, correction };
}

/** @param {VoidState} state one that passes `check` @returns {import("../sending/pending.js").Body} */
export function voidBody(state) {
  const note = oneLine(state.note);
  /** @type {Record<string, any>} */
  const body = { reason: state.reason, ...(note && { note }) };
  if (state.correcting) {
    // The void and its correction happen now; the server's clock stamps both.
    const { timestamp: _, event_id: __, ...replacement } = requestBody(state.correction, state.payment.event_id, 0);
    body.replacement = replacement;
  }
  return body;
}

/**
 * The server's errors, sorted into the void's own fields and those of the corrected payment.
 * @param {readonly FieldError[]} fields
 * @param {string} message
 */
export function sortErrors(fields, message) {
  const ofCorrection = fields.filter(({ field }) => field.startsWith("replacement."));
  const rest = fields.filter((field) => !ofCorrection.includes(field));
  const correction = ofCorrection.length ? errorsFromServer(ofCorrection, message) : {};
  /** @type {VoidErrors} */
  const own = {};
  for (const { field, message: text } of rest) {
    own[field === "reason" || field === "note" ? field : "form"] ??= text;
  }
  if (fields.length === 0) own.form = message;
  if (correction.form) own.form ??= correction.form;
  return { own, correction };
}

/**
 * What will be different, line by line.
 * @param {VoidState} state
 * @returns {Difference[]}
 */
export function changes({ payment, correcting, correction }) {
  if (!correcting) return differences(payment, null);
  const amount = parseAmount(correction.amountText);
  return differences(payment, {
    patron_email: correction.patron?.email ?? "",
    patron_name: correction.patron?.name ?? "—",
    amount_cents: amount.ok ? amount.cents : null,
    method: correction.method,
    reference: correction.method && !METHODS[correction.method].reference ? "" : correction.reference.trim(),
  });
}

/**
 * The sentence above the buttons.
 * @param {VoidState} state
 * @returns {{was: string, becomes: string, consequence: string}}
 */
export function outcome({ payment, correcting, correction: { amountText, method, patron } }) {
  const amount = parseAmount(amountText);
  const now = { patron_name: patron?.name ?? "…", patron_email: patron?.email ?? "" };
  const was = correcting && patron ? { ...payment, patron_name: patronBeside(payment, now) } : payment;
  const name = method ? labelOf(method) : "…";
  const number = entryNumber(payment.seq);
  return {
    was: describePayment(was),
    becomes: correcting
      ? `${amount.ok ? formatCents(amount.cents) : "…"} ${name} · ${patron ? patronBeside(now, payment) : "…"}`
      : formatCents(0),
    consequence: correcting
      ? `${number} stays in the ledger, struck through. Compliance gets one mail about the void and one about the correction.`
      : `${number} stays in the ledger, struck through. Compliance gets a mail about the void.`,
  };
}

/**
 * @param {Payment} payment
 * @param {{void: Payment, replacement: Payment | null, replayed: boolean}} result
 * @returns {{title: string, text: string}}
 */
export function voidedMessage(payment, { void: entry, replacement, replayed }) {
  const what = describePayment(payment);
  const corrected = replacement
    ? ` Corrected as ${entryNumber(replacement.seq)} · ${describePayment(replacement)}.`
    : "";
  return {
    title: `Voided ${entryNumber(payment.seq)} · ${what}`,
    text: `${replayed ? "Already saved — not voided twice. " : ""}Void ${entryNumber(entry.seq)}.${corrected} Audit mail queued.`,
  };
}
