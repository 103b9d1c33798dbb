/** The state of an audit mail in a word or two. No DOM, no clock. */

import { formatTime, formatUtc } from "../kit/time.js";

/** @typedef {"wait" | "good" | "warn" | "bad"} Tone */

export const LATE_MS = 300_000; // as the server counts them on event views

/** @type {Record<MailboxFinding, string>} */
export const FINDINGS = { missing: "Not in the inbox", duplicate: "Twice in the inbox", altered: "Altered in the inbox", explained: "Gone, explained" };

/** @param {MailboxFinding} found @returns {[Tone, string]} */
export const gravity = (found) => (found === "explained" ? ["warn", ""] : ["bad", "Operations has been alerted. "]);

/**
 * @param {Pick<Payment, "audit" | "logged_at">} payment
 * @param {number} now epoch ms
 * @returns {{text: string, tone: Tone, title: string}} a chip
 */
export function describeAudit({ audit, logged_at: loggedAt }, now) {
  const late = now - loggedAt > LATE_MS;
  const error = audit?.last_error?.message ?? "";
  switch (audit?.state) {
    case "sent": {
      const { sent_at: sentAt, seen_at: seenAt, mailbox } = audit;
      const title = sentAt ? `Audit mail accepted by Gmail at ${formatUtc(sentAt)}` : "";
      if (mailbox) return { text: FINDINGS[mailbox], tone: gravity(mailbox)[0], title: gravity(mailbox)[1] + title };
      if (seenAt) return { text: "In the inbox", tone: "good", title: `Seen in the audit inbox at ${formatUtc(seenAt)}` };
      return { text: sentAt ? `Sent ${formatTime(sentAt)}` : "Sent", tone: "good", title };
    }
    case "failed":
      return { text: "Failed", tone: "bad", title: error || "The audit mail could not be sent yet." };
    default:
      return { text: late ? "Queued, late" : "Queued", tone: late || error ? "warn" : "wait", title: error };
  }
}
