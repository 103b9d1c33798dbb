/** One entry of the ledger as a row, with the state of its audit mail. */

import { clone, fill, find, part, setTime, show } from "../kit/dom.js";
import { describeDay, formatMoment, formatUtc } from "../kit/time.js";
import { describeAudit } from "./audit-words.js";
import { labelOf } from "./methods.js";
import { describeTie, entryNumber, signedAmount, tieOf } from "./words.js";

/**
 * @typedef {object} RowContext
 * @property {(route: import("../router.js").Route) => string} addressOf
 * @property {"patron" | "event"} names what identifies a row: its patron within an event, its event within a patron's history
 * @property {((payment: Payment) => void) | null} voiding null when not allowed
 * @property {(paymentId: string) => Payment | undefined} known other entries on the screen
 */

/** @param {HTMLElement} chip @param {Payment} payment @param {number} now */
export function updateChip(chip, payment, now) {
  const { text, tone, title } = describeAudit(payment, now);
  if (chip.textContent !== text) chip.textContent = text;
  chip.dataset.tone = tone;
  chip.title = title;
}

/** @param {Payment} payment @param {number} now @param {RowContext} context @returns {HTMLElement} */
export function createRow(payment, now, context) {
  const row = clone("payment-row-template");
  const { event_id: eventId, patron_email: email, payment_id: paymentId } = payment;
  row.dataset.paymentId = paymentId;
  row.dataset.kind = payment.kind;
  const byPatron = context.names === "patron";
  fill(row, {
    number: entryNumber(payment.seq),
    name: byPatron ? payment.patron_name : payment.event_name,
    detail: byPatron ? email : describeDay(payment.event_date).long,
    method: labelOf(payment.method),
    reference: payment.reference ?? "",
    amount: signedAmount(payment),
    by: payment.logged_by,
    note: payment.note ?? "",
    "void-what": ` ${entryNumber(payment.seq)}`,
  });
  show(row, "note", Boolean(payment.note));
  link(row, "number", context.addressOf({ name: "payment", eventId, paymentId }));
  link(row, "name", context.addressOf(byPatron ? { name: "patron", eventId, email } : { name: "event", eventId, tab: "payments" }));
  const time = /** @type {HTMLTimeElement} */ (find(row, "time"));
  setTime(time, payment.timestamp, formatMoment(payment.timestamp), formatUtc(payment.timestamp));
  part(row, "void").addEventListener("click", () => context.voiding?.(payment));
  updateRow(row, payment, now, context);
  return row;
}

/**
 * Shows what may change after an entry is logged: its mail, and whether it is voided.
 * @param {HTMLElement} row
 * @param {Payment} payment
 * @param {number} now epoch ms
 * @param {RowContext} context
 */
export function updateRow(row, payment, now, { addressOf, voiding, known }) {
  const voided = Boolean(payment.voided_by);
  row.classList.toggle("voided", voided);
  updateChip(part(row, "audit"), payment, now);
  show(row, "void", voiding !== null && payment.kind === "payment" && !voided);

  const tie = tieOf(payment);
  const mark = /** @type {HTMLAnchorElement} */ (part(row, "mark"));
  mark.hidden = tie === null;
  if (!tie) return;
  const entry = known(tie.id);
  mark.textContent = describeTie(tie, entry ? entryNumber(entry.seq) : "");
  mark.dataset.tone = tie.tone;
  mark.href = addressOf({ name: "payment", eventId: payment.event_id, paymentId: tie.id });
}

/** @param {HTMLElement} row @param {string} name @param {string} href */
function link(row, name, href) {
  /** @type {HTMLAnchorElement} */ (find(row, `a[data-text="${name}"]`)).href = href;
}
