/** Sending one write until its fate is known, or known to be unknown. */

import { OutcomeUnknownError, ProblemError } from "../server/api-fetch.js";

/** @typedef {import("./pending.js").Body} Body */

const ATTEMPTS = 8;
const LOOK_AGAIN_MS = 1_500;

/** The API gives up after 15 s (Timeout in template.yaml), so a request this old is no longer at work. */
export const SETTLED_MS = 20_000;

/**
 * A busy ledger (409 or 429 with Retry-After) and a busy server (503 with Retry-After) are retried silently; a refused
 * timestamp is corrected once by the server's clock. Everything else is an outcome; it never throws. A server that
 * stays busy leaves it unknown: one of the attempts may have been written.
 * @template A
 * @param {Body} body
 * @param {string} key stays the same for every attempt, so no retry can write twice
 * @param {object} world
 * @param {(body: Body, key: string) => Promise<A>} world.post
 * @param {(ms: number) => Promise<unknown>} world.wait
 * @param {() => number} world.now epoch ms by the server's clock
 * @returns {Promise<Outcome<A>>}
 */
export async function submit(body, key, { post, wait, now }) {
  let clockCorrected = false;
  const pause = (/** @type {{retryAfterMs: number | null}} */ { retryAfterMs }) => wait((retryAfterMs ?? 0) + Math.random() * 250);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      return { kind: "saved", answer: await post(body, key) };
    } catch (error) {
      if (isPutOff(error) && attempt < ATTEMPTS) {
        await pause(error);
        continue;
      }
      if (!isRefusal(error)) return unknown(error);
      if (error.status === 401) return { kind: "signed-out" };
      const earlier = error.body.payments;
      if (error.code === "possible_duplicate" && Array.isArray(earlier)) return { kind: "duplicate", entries: earlier };
      if (isBusy(error)) {
        await pause(error);
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
 * What became of a write whose answer never came. "Not there" is believed only once no request can still be at
 * work on it; until then it is looked up again.
 * @template A
 * @param {string} key
 * @param {number} sentAt epoch ms by this device's clock
 * @param {object} world
 * @param {(key: string) => Promise<A>} world.lookUp what was written under a key; 404 when nothing was
 * @param {(ms: number) => Promise<unknown>} world.wait
 * @param {() => number} world.now epoch ms by this device's clock
 * @param {() => void} [world.undecided] called when the first look does not settle it
 * @param {AbortSignal} [world.signal] ends the search
 * @returns {Promise<Fate<A>>}
 */
export async function findFate(key, sentAt, { lookUp, wait, now, undecided, signal }) {
  for (let first = true; !signal?.aborted; first = false) {
    // Read before looking. If the clock was set back since, the age means nothing and the wait starts over.
    const age = now() - sentAt;
    if (age < 0) sentAt = now();
    try {
      return { kind: "saved", answer: await lookUp(key) };
    } catch (error) {
      if (!isRefusal(error) || error.status !== 404) return unknown(error);
      if (age >= SETTLED_MS) return { kind: "not-saved" };
    }
    if (first) undecided?.();
    await wait(LOOK_AGAIN_MS);
  }
  return { kind: "unknown", message: "" };
}

/**
 * Only our own API's refusal, or its end of a session, proves that nothing was written; a proxy's proves nothing.
 * @param {unknown} error
 * @returns {error is ProblemError}
 */
function isRefusal(error) {
  if (!(error instanceof ProblemError)) return false;
  const readable = error.fields.every((each) => typeof each?.field === "string" && typeof each.message === "string");
  return error.status === 401 || (error.code !== "" && readable);
}

/** @param {unknown} error @returns {{kind: "unknown", message: string}} */
export function unknown(error) {
  if (error instanceof OutcomeUnknownError || error instanceof ProblemError) return { kind: "unknown", message: error.message };
  console.error(error);
  return { kind: "unknown", message: "The server’s answer could not be understood." };
}

/** @param {unknown} error @returns {error is OutcomeUnknownError} */
function isPutOff(error) {
  return error instanceof OutcomeUnknownError && error.retryAfterMs !== null;
}

/** @param {ProblemError} error */
function isBusy(error) {
  return (error.status === 409 || error.status === 429) && error.retryAfterMs !== null;
}
