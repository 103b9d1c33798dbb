/** Messages about logged payments: one was saved, others look alike. No DOM, no clock, no network. */

import { labelOf } from "../entries/methods.js";
import { describePayment, entryNumber } from "../entries/words.js";
import { formatCents } from "../kit/money.js";
import { formatAgo } from "../kit/time.js";

/**
 * The question to ask about a likely duplicate.
 * @param {readonly Payment[]} entries the earlier ones, at least one
 * @param {number} now epoch ms
 */
export function describeDuplicates(entries, now) {
  return {
    title: entries.length === 1
      ? `Similar payment logged ${formatAgo(entries[0].logged_at, now)}`
      : `${entries.length} similar payments are already logged`,
    lines: entries.map((entry) => [
      formatCents(entry.amount_cents),
      labelOf(entry.method),
      ...(entry.reference ? [entry.reference] : []),
      `for ${entry.patron_name}`,
      `by ${entry.logged_by}`,
      ...(entries.length > 1 ? [formatAgo(entry.logged_at, now)] : []),
      `(${entryNumber(entry.seq)})`,
    ].join(" ")),
  };
}

/** @param {Payment} payment @param {boolean} replayed @param {string} stamp its logged_at, for people */
export function savedMessage(payment, replayed, stamp) {
  return {
    title: `Logged ${entryNumber(payment.seq)} · ${describePayment(payment)}`,
    text: replayed
      ? `Already saved — not logged twice. Stamped by the server ${stamp}.`
      : `Stamped by the server ${stamp}. Audit mail queued.`,
  };
}
