/** The state of an audit mail in a word or two. No DOM, no clock. */

import { formatTime, formatUtc } from "../kit/time.js";

/** @typedef {"wait" | "good" | "warn" | "bad"} Tone */

export const LATE_MS = 300_000; // as the server counts them on event views

/**
 * @param {Pick<Payment, "audit" | "logged_at">} payment
 * @param {number} now epoch ms
 * @returns {{text: string, tone: Tone, title: string}} a chip
 */
export function describeAudit({ audit, logged_at: loggedAt }, now) {
  const late = now - loggedAt > LATE_MS;
  const error = messageOf(audit);
  switch (audit?.state) {
    case "sent":
      return {
        text: audit.sent_at ? `Sent ${formatTime(audit.sent_at)}` : "Sent",
        tone: "good",
        title: audit.sent_at ? `Audit mail accepted by Gmail at ${formatUtc(audit.sent_at)}` : "",
      };
    case "failed":
      return { text: "Failed", tone: "bad", title: error || "The audit mail could not be sent yet." };
    default:
      return { text: late ? "Queued, late" : "Queued", tone: late || error ? "warn" : "wait", title: error };
  }
}

/** @param {Audit | undefined} audit */
function messageOf(audit) {
  return typeof audit?.last_error === "string" ? audit.last_error : (audit?.last_error?.message ?? "");
}
