/** An entry in words, the same in rows, screens, dialogs and messages. No DOM, no clock, no network. */

import { formatCents } from "../kit/money.js";
import { labelOf } from "./methods.js";

/** @type {Record<string, string>} why an entry was voided */
export const REASONS = {
  wrong_amount: "Wrong amount",
  wrong_patron: "Wrong patron",
  wrong_method: "Wrong method",
  entered_twice: "Entered twice",
  payment_returned: "Payment bounced or returned",
  other: "Other",
};

/** @type {Record<string, string>} why money was given back */
const REFUND_REASONS = {
  event_cancelled: "Event cancelled",
  patron_cancelled: "Patron cancelled",
  overpaid: "Paid too much",
  goodwill: "Goodwill",
  other: "Other",
};

/** @type {Record<Payment["kind"], string>} */
const KINDS = { payment: "Payment", void: "Void", refund: "Refund" };

/** @param {Pick<Payment, "kind">} entry @returns {string} as it starts a line */
export function kindOf({ kind }) {
  return KINDS[kind] ?? kind;
}

/** @param {Pick<Payment, "kind" | "reason">} entry @returns {string} why it was voided or refunded, or nothing */
export function reasonOf({ kind, reason = "" }) {
  return (kind === "refund" ? REFUND_REASONS : REASONS)[reason] ?? reason;
}

/** @param {Pick<Payment, "kind">} entry @returns {1 | -1} whether it adds to the money held or takes away */
export function signOf({ kind }) {
  return kind === "payment" ? 1 : -1;
}

/** @param {Pick<Payment, "kind" | "amount_cents">} entry @returns {string} "−$50.00" for a void or a refund */
export function signedAmount(entry) {
  return `${signOf(entry) < 0 ? "−" : ""}${formatCents(entry.amount_cents)}`;
}

/** @param {number} seq @returns {string} "#000042", the number compliance sees in the audit mail */
export function entryNumber(seq) {
  return `#${String(seq).padStart(6, "0")}`;
}

/** @param {Payment} payment @returns {string} "$50.00 cash · Jane Doe" */
export function describePayment({ amount_cents: cents, method, patron_name: name }) {
  return `${formatCents(cents)} ${labelOf(method)} · ${name}`;
}

/** @typedef {{id: string, verb: string, tone: "warn" | "wait"}} Tie the entry that this one is about, and how */

/** @param {Payment} payment @returns {Tie | null} what matters most about it: that it is voided, or what it undoes */
export function tieOf({ voids, refunds, voided_by: voidedBy, corrects }) {
  if (voids) return { id: voids, verb: "Voids", tone: "warn" };
  if (refunds) return { id: refunds, verb: "Refunds", tone: "warn" };
  if (voidedBy) return { id: voidedBy, verb: "Voided", tone: "wait" };
  return corrects ? { id: corrects, verb: "Replaces", tone: "wait" } : null;
}

/** @param {Tie} tie @param {string} number of the other entry, empty when it is not known @returns {string} "Voids #000041" */
export function describeTie({ verb }, number) {
  if (verb === "Voided") return number ? `Voided by ${number}` : "Voided";
  return `${verb} ${number || "a payment"}`;
}
