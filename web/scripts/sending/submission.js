/** Sending one payment until its fate is known, or known to be unknown. */

import { OutcomeUnknownError, ProblemError } from "../server/api-fetch.js";

/** @typedef {import("../server/api.js").Payment} Payment */
/** @typedef {Record<string, unknown> & {timestamp: number}} Body */
/**
 * @typedef {{kind: "saved", payment: Payment, replayed: boolean}
 *   | {kind: "unknown", message: string}
 *   | {kind: "duplicate", entries: Payment[]}
 *   | {kind: "signed-out"}
 *   | {kind: "busy"}
 *   | {kind: "refused", status: number, fields: import("../server/api-fetch.js").FieldError[], message: string}} Outcome
 */

/**
 * @typedef {{kind: "saved", payment: Payment, replayed: true}
 *   | {kind: "not-saved"}
 *   | {kind: "unknown", message: string}} Fate
 */

const ATTEMPTS = 8;
const LOOK_AGAIN_MS = 1_500;

/** The API gives up after 15 s (Timeout in template.yaml), so a request this old is no longer at work. */
export const SETTLED_MS = 20_000;

/**
 * A busy ledger (409 or 429 with Retry-After) is asked again without telling anyone; a refused timestamp is
 * corrected once by the server's clock. Everything else is an outcome.
 * @param {Body} body
 * @param {string} key stays the same for every attempt, so no retry can log twice
 * @param {object} world
 * @param {(body: Body, key: string) => Promise<{payment: Payment, replayed: boolean}>} world.logPayment
 * @param {(ms: number) => Promise<unknown>} world.wait
 * @param {() => number} world.now epoch ms by the server's clock
 * @returns {Promise<Outcome>}
 */
export async function submitPayment(body, key, { logPayment, wait, now }) {
  let clockCorrected = false;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      return { kind: "saved", ...(await logPayment(body, key)) };
    } catch (error) {
      if (error instanceof OutcomeUnknownError) return { kind: "unknown", message: error.message };
      if (!(error instanceof ProblemError)) throw error;
      if (error.status === 401) return { kind: "signed-out" };
      if (error.code === "possible_duplicate") return { kind: "duplicate", entries: earlierEntries(error) };
      if (isBusy(error)) {
        await wait((error.retryAfterMs ?? 0) + Math.random() * 250);
      } else if (!clockCorrected && error.fields.length === 1 && error.fields[0].field === "timestamp") {
        clockCorrected = true;
        body.timestamp = now();
      } else {
        return { kind: "refused", status: error.status, fields: error.fields, message: error.message };
      }
    }
  }
  return { kind: "busy" };
}

/**
 * What became of a payment whose answer never came. "Not there" is believed only once no request can still be
 * at work on it; until then it is asked again.
 * @param {string} key
 * @param {number} sentAt epoch ms by this device's clock
 * @param {object} world
 * @param {(key: string) => Promise<Payment>} world.getPaymentByKey
 * @param {(ms: number) => Promise<unknown>} world.wait
 * @param {() => number} world.now epoch ms by this device's clock
 * @param {() => void} [world.undecided] called when the first look did not settle it
 * @param {AbortSignal} [world.signal] ends the asking
 * @returns {Promise<Fate>}
 */
export async function findFate(key, sentAt, { getPaymentByKey, wait, now, undecided, signal }) {
  for (let first = true; !signal?.aborted; first = false) {
    // Read before asking. A clock that was set back since tells nothing, so the wait begins anew.
    const age = now() - sentAt;
    if (age < 0) sentAt = now();
    try {
      return { kind: "saved", payment: await getPaymentByKey(key), replayed: true };
    } catch (error) {
      if (error instanceof OutcomeUnknownError) return { kind: "unknown", message: error.message };
      if (!(error instanceof ProblemError)) throw error;
      if (error.status !== 404) return { kind: "unknown", message: error.message };
      if (age >= SETTLED_MS) return { kind: "not-saved" };
    }
    if (first) undecided?.();
    await wait(LOOK_AGAIN_MS);
  }
  return { kind: "unknown", message: "" };
}

/** @param {ProblemError} error */
function isBusy(error) {
  return (error.status === 409 || error.status === 429) && error.retryAfterMs !== null;
}

/** @param {ProblemError} error @returns {Payment[]} */
function earlierEntries(error) {
  return Array.isArray(error.body.payments) ? error.body.payments : [];
}
