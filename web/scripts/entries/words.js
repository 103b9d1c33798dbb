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

/** @param {number} seq @returns {string} "#000042", the number compliance sees in the audit mail */
export function entryNumber(seq) {
  return `#${String(seq).padStart(6, "0")}`;
}

/** @param {Payment} payment @returns {string} "$50.00 cash · Jane Doe" */
export function describePayment({ amount_cents: cents, method, patron_name: name }) {
  return `${formatCents(cents)} ${labelOf(method)} · ${name}`;
}
