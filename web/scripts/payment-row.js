/** One payment as a row, with the state of its audit mail. */

import { clone, fill, find, part, setTime } from "./dom.js";
import { formatCents } from "./money.js";
import { METHOD_NAMES, entryNumber } from "./payment-form.js";
import { formatMoment, formatTime, formatUtc } from "./time.js";

/** @typedef {import("./api.js").Payment} Payment */

const LATE_MS = 120_000;

/**
 * @param {Payment} payment
 * @param {number} now epoch ms
 * @returns {{text: string, tone: "wait" | "good" | "warn" | "bad", title: string}}
 */
export function describeAudit({ audit, logged_at: loggedAt }, now) {
  const late = now - loggedAt > LATE_MS;
  const error = typeof audit?.last_error === "string" ? audit.last_error : (audit?.last_error?.message ?? "");
  switch (audit?.state) {
    case "sent":
      return {
        text: audit.sent_at ? `Sent ${formatTime(audit.sent_at)}` : "Sent",
        tone: "good",
        title: audit.sent_at ? `Audit mail accepted by Gmail at ${formatUtc(audit.sent_at)}` : "",
      };
    case "failed":
      return { text: "Failed", tone: "bad", title: error || "The audit mail could not be sent yet." };
    case "sending":
      return { text: late ? "Sending, late" : "Sending", tone: late ? "warn" : "wait", title: error };
    default:
      return { text: late ? "Queued, late" : "Queued", tone: late || error ? "warn" : "wait", title: error };
  }
}

/** @param {HTMLElement} chip @param {Payment} payment @param {number} now */
export function updateChip(chip, payment, now) {
  const { text, tone, title } = describeAudit(payment, now);
  if (chip.textContent !== text) chip.textContent = text;
  chip.dataset.tone = tone;
  chip.title = title;
}

/** @param {Payment} payment @param {number} now @returns {HTMLElement} */
export function createRow(payment, now) {
  const row = clone("payment-row-template");
  row.dataset.paymentId = payment.payment_id;
  row.dataset.kind = payment.kind;
  fill(row, {
    number: entryNumber(payment.seq),
    patron: payment.patron_name,
    email: payment.patron_email,
    method: METHOD_NAMES[payment.method] ?? payment.method,
    reference: payment.reference ?? "",
    amount: `${payment.kind === "void" ? "−" : ""}${formatCents(payment.amount_cents)}`,
    by: payment.logged_by,
    note: payment.note ?? "",
  });
  part(row, "note").hidden = !payment.note;
  part(row, "void").hidden = payment.kind !== "void";
  const time = /** @type {HTMLTimeElement} */ (find(row, "time"));
  setTime(time, payment.timestamp, formatMoment(payment.timestamp), formatUtc(payment.timestamp));
  updateChip(part(row, "audit"), payment, now);
  return row;
}
