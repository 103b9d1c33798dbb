/** The steps of an audit mail, in words that an admin understands. No DOM, no clock. */

import { FINDINGS, gravity, LATE_MS } from "./audit-words.js";
import { entryNumber } from "./words.js";

/** @typedef {import("./audit-words.js").Tone} Tone */
/** @typedef {{title: string, at: number | null, text: string, detail: string, tone: Tone}} Step at: epoch ms */

/** @type {Record<string, string>} by the class that the mailer gives a failure */
const FAILURES = {
  retry: "Gmail asked us to slow down. The mail will be retried shortly.",
  later: "Gmail’s sending limit is reached. The mail will be retried when Google allows it.",
  ambiguous: "Gmail’s answer was lost. We search the mailbox before sending again, so nothing is sent twice.",
  systemic: "Google denies our access to Gmail. The mail will wait until operations fixes it.",
  permanent: "Gmail rejected this mail, and it won’t be retried automatically. Operations must look into it.",
};

/** @type {Record<MailboxFinding, string>} what the watch over the mailbox found */
const FOUND = {
  missing: "Gmail accepted this mail, but it is not in the audit inbox.",
  duplicate: "The audit inbox has more than one mail for this entry.",
  altered: "The audit inbox has a mail that doesn’t match this entry’s record.",
  explained: "This mail is gone, and somebody said why.",
};

/**
 * An entry's steps from the ledger to the inbox so far.
 * @param {Payment} payment
 * @param {number} now epoch ms
 * @returns {Step[]}
 */
export function auditTrail(payment, now) {
  const { audit, logged_at: loggedAt, logged_by: loggedBy, seq } = payment;
  const attempts = audit?.attempts ?? 0;
  const failure = audit?.state === "sent" ? null : explainFailure(audit);
  /** @type {Step[]} */
  const steps = [
    { title: "Logged", at: loggedAt, text: `${entryNumber(seq)} by ${loggedBy}`, detail: "", tone: "good" },
    {
      title: "Audit mail queued", at: loggedAt, detail: "", tone: "good",
      text: attempts || audit?.state === "sent" ? "" : "Waiting its turn.",
    },
  ];
  if (failure) {
    steps.push({
      title: attempts > 1 ? `Tried ${attempts} times` : "Tried once",
      at: failure.at,
      text: failure.text,
      detail: failure.detail,
      tone: audit?.state === "failed" ? "bad" : "warn",
    });
  }
  if (audit?.state === "sent") {
    const tries = attempts > 1 ? `Accepted by Gmail, after ${attempts} attempts.` : "Accepted by Gmail.";
    steps.push({ title: "Sent", at: audit.sent_at ?? null, text: tries, detail: "", tone: "good" }, ...sightings(audit));
  } else if (audit?.state === "failed") {
    steps.push({ title: "Given up", at: null, text: "The mail is in the dead-letter queue until operations replays it.", detail: "", tone: "bad" });
  } else {
    const late = now - loggedAt > LATE_MS;
    steps.push({ title: "Not sent yet", at: null, text: late ? "This is taking longer than it should. Nothing is lost." : "", detail: "", tone: late ? "warn" : "wait" });
  }
  return steps;
}

/** What was seen of a sent mail since. @param {Audit} audit @returns {Step[]} */
function sightings({ seen_at: seenAt, mailbox }) {
  /** @type {Step[]} */
  const steps = [];
  if (seenAt) steps.push({ title: "In the inbox", at: seenAt, text: "Seen in the audit inbox.", detail: "", tone: "good" });
  if (mailbox) {
    const [tone, told] = gravity(mailbox);
    steps.push({ title: FINDINGS[mailbox], at: null, text: `${FOUND[mailbox]} ${told}`.trim(), detail: "", tone });
  }
  return steps;
}

/** @param {Audit | undefined} audit @returns {{text: string, detail: string, at: number | null} | null} */
export function explainFailure(audit) {
  const error = audit?.last_error;
  if (!error) return null;
  return {
    text: FAILURES[error.class ?? ""] ?? "The mail could not be sent.",
    detail: [error.code, error.message].filter(Boolean).join(": "),
    at: error.at ?? null,
  };
}
