/** An event's totals, kept current as payments are logged after they were read. */

import { centsOf, decimal, formatCents } from "../kit/money.js";
import { METHODS, titleOf } from "./methods.js";
import { signOf } from "./words.js";

/**
 * The event's totals after one more entry. A refund takes money away; the payment was made all the same.
 * @param {ScEvent} event
 * @param {Payment} payment
 */
export function withPayment(event, payment) {
  const sign = signOf(payment);
  const add = (/** @type {string | undefined} */ sum) => decimal(centsOf(sum ?? "0.00") + sign * payment.amount_cents);
  const methods = event.totals_by_method;
  return {
    payments_count: (event.payments_count ?? 0) + (payment.kind === "refund" ? 0 : sign),
    total: add(event.total),
    last_payment_at: payment.logged_at,
    ...(methods && { totals_by_method: { ...methods, [payment.method]: add(methods[payment.method]) } }),
  };
}

/**
 * @param {ScEvent} event
 * @returns {{method: Method, name: string, amount: string, share: number}[]} what was paid by each method, zeros left
 *   out; share: percent of the whole
 */
export function methodShares({ totals_by_method: totals }) {
  const methods = /** @type {Method[]} */ (Object.keys(METHODS));
  const sums = methods
    .map((method) => ({ method, name: titleOf(method), cents: centsOf(totals?.[method] ?? "0.00") }))
    .filter(({ cents }) => cents !== 0);
  // More may be refunded in cash than was paid in cash; such a method has no share.
  const whole = sums.reduce((sum, { cents }) => sum + Math.max(0, cents), 0);
  return sums.map(({ method, name, cents }) => ({
    method, name, amount: formatCents(cents), share: Math.round((Math.max(0, cents) / (whole || 1)) * 100),
  }));
}

/** @param {ScEvent} event @returns {{text: string, tone: "bad" | "warn"} | null} null when all mails are on time */
export function mailTrouble({ audit }) {
  const { failed = 0, late = 0 } = audit ?? {};
  if (failed) return { text: `${failed} audit ${failed === 1 ? "mail" : "mails"} failed`, tone: "bad" };
  if (late) return { text: `${late} audit ${late === 1 ? "mail" : "mails"} late`, tone: "warn" };
  return null;
}

export const RETENTION_DAYS = 2_555; // as in shared/ledger.py
const NOTICE_DAYS = 60; // an entry may be older than its event

/** Whether none of an event's entries was deleted: a total without them is wrong. @param {readonly Pick<Payment, "seq">[]} payments */
export function isWhole(payments) {
  return new Set(payments.map(({ seq }) => seq)).size === Math.max(0, ...payments.map(({ seq }) => seq));
}

/** Whether its entries may be seven years old. @param {string} eventDate "YYYY-MM-DD" @param {number} now epoch ms */
export function isOld(eventDate, now) {
  return now - Date.parse(`${eventDate}T00:00:00Z`) > (RETENTION_DAYS - NOTICE_DAYS) * 86_400_000;
}
