/** What each patron of an event has paid so far. */

import { isWhole } from "../entries/event-sums.js";
import { listPayments } from "../server/api.js";

const PAGE = 100;
const MAX_PAGES = 20;

/**
 * @param {string} eventId
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, number> | null>} cents by patron e-mail; null when not all payments could be read,
 *   since a total without all of them would be wrong
 */
export async function readTotals(eventId, signal) {
  /** @type {Payment[]} */
  const payments = [];
  /** @type {string | null} */
  let cursor = null;
  try {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const found = await listPayments(eventId, { limit: PAGE, cursor, signal });
      if (found.problems?.length) break;
      payments.push(...found.payments);
      cursor = found.cursor;
      if (!cursor) return isWhole(payments) ? totalsByPatron(payments) : null;
    }
  } catch {
    // The form works without totals.
  }
  return null;
}

/**
 * What each patron has paid for the event, less refunds: voided payments and the voids themselves do not count.
 * @param {readonly Payment[]} payments
 * @returns {Map<string, number>} cents by patron e-mail
 */
export function totalsByPatron(payments) {
  const voided = new Set(payments.filter(({ kind }) => kind === "void").map(({ voids }) => voids));
  /** @type {Map<string, number>} */
  const totals = new Map();
  for (const { kind, payment_id: id, patron_email: email, amount_cents: cents, voided_by: voidedBy } of payments) {
    // After seven years, a void may be deleted before its payment.
    if (kind === "void" || voidedBy || voided.has(id)) continue;
    totals.set(email, (totals.get(email) ?? 0) + (kind === "refund" ? -cents : cents));
  }
  return totals;
}
