/** An event's totals, kept current as payments are logged after they were read. */

import { centsOf, decimal, formatCents } from "../kit/money.js";
import { METHODS, titleOf } from "./methods.js";

/**
 * The event's totals after one more payment or void.
 * @param {ScEvent} event
 * @param {Payment} payment
 */
export function withPayment(event, payment) {
  const sign = payment.kind === "void" ? -1 : 1;
  const add = (/** @type {string | undefined} */ sum) => decimal(centsOf(sum ?? "0.00") + sign * payment.amount_cents);
  const methods = event.totals_by_method;
  return {
    payments_count: (event.payments_count ?? 0) + sign,
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
  const whole = sums.reduce((sum, { cents }) => sum + cents, 0);
  return sums.map(({ method, name, cents }) => ({
    method, name, amount: formatCents(cents), share: Math.round((cents / whole) * 100),
  }));
}

/** @param {ScEvent} event @returns {{text: string, tone: "bad" | "warn"} | null} null when all mails are on time */
export function mailTrouble({ audit }) {
  const { failed = 0, late = 0 } = audit ?? {};
  if (failed) return { text: `${failed} audit ${failed === 1 ? "mail" : "mails"} failed`, tone: "bad" };
  if (late) return { text: `${late} audit ${late === 1 ? "mail" : "mails"} late`, tone: "warn" };
  return null;
}
