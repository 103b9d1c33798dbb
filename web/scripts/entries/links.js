/** How the entries of one event are related: voids, corrections, refunds, and the entries they are about. */

import { formatCents } from "../kit/money.js";
import { labelOf } from "./methods.js";

/**
 * @param {Payment} payment
 * @param {Iterable<Payment>} entries of the same event, as far as they are known
 * @returns {{original: Payment | null, voided: Payment | null, correction: Payment | null, corrects: Payment | null, refunds: Payment | null, previous: Payment | null}}
 *   original: the entry that this one voids; voided: the void of this entry; correction: what replaced the voided
 *   entry; corrects: the entry that this one replaced; refunds: the entry that this one gives back; previous: the
 *   entry before it in the hash chain
 */
export function linksOf(payment, entries) {
  const known = new Map([...entries].map((entry) => [entry.payment_id, entry]));
  const bySeq = new Map([...known.values()].map((entry) => [entry.seq, entry]));
  const byId = (/** @type {string | null | undefined} */ id) => (id ? (known.get(id) ?? null) : null);
  const undone = payment.voids ?? payment.payment_id;
  return {
    original: byId(payment.voids),
    voided: byId(payment.voided_by),
    correction: [...known.values()].find(({ corrects }) => corrects === undone) ?? null,
    corrects: byId(payment.corrects),
    refunds: byId(payment.refunds),
    previous: bySeq.get(payment.seq - 1) ?? null,
  };
}

/** The name, with the e-mail of a namesake. @param {Named} one @param {Named} other */
export function patronBeside(one, other) {
  const isNamesake = one.patron_name === other.patron_name && one.patron_email !== other.patron_email;
  return isNamesake ? `${one.patron_name} (${one.patron_email})` : one.patron_name;
}

/**
 * What voiding an entry changes, line by line.
 * @param {Stated} before
 * @param {Stated | null} after what replaces it; null when nothing does
 * @returns {Difference[]}
 */
export function differences(before, after) {
  const money = (/** @type {number | null} */ cents) => (cents === null ? "—" : formatCents(cents));
  const line = (/** @type {string} */ label, /** @type {string} */ one, /** @type {string} */ other, changed = one !== other) => ({
    label, before: one, after: other, changed,
  });
  if (!after) return [line("Counts as", money(before.amount_cents), money(0))];
  const method = (/** @type {Stated} */ { method: name }) => (name ? labelOf(name) : "—");
  return [
    line("Patron", patronBeside(before, after), patronBeside(after, before), before.patron_email !== after.patron_email),
    line("Amount", money(before.amount_cents), money(after.amount_cents)),
    line("Method", method(before), method(after)),
    line("Reference", before.reference || "—", after.reference || "—"),
  ];
}
