/** The API's calls, one function each, and the shapes of their answers. */

import { OutcomeUnknownError, apiFetch } from "./api-fetch.js";

const EXPORT_TIMEOUT_MS = 60_000;

/** @returns {Promise<Who>} user is null when nobody is signed in */
export async function getSession() {
  return (await apiFetch("/api/session?optional=true")).data;
}

/** @param {string} email @param {string} password @returns {Promise<Who & {user: User}>} */
export async function signIn(email, password) {
  return (await apiFetch("/api/session", { method: "POST", body: { email, password } })).data;
}

export async function signOut() {
  await apiFetch("/api/session", { method: "DELETE" });
}

/** @param {string | null} cursor @param {AbortSignal} [signal] @returns {Promise<{events: ScEvent[], cursor: string | null}>} */
export async function listEvents(cursor, signal) {
  return (await apiFetch(`/api/events${query({ cursor })}`, { signal })).data;
}

/** @param {string} eventId @param {AbortSignal} [signal] @returns {Promise<{event: ScEvent, roster: Patron[]}>} */
export async function getEvent(eventId, signal) {
  return (await apiFetch(`/api/events/${encodeURIComponent(eventId)}`, { signal })).data;
}

/**
 * @param {string} eventId
 * @param {{limit?: number, cursor?: string | null, signal?: AbortSignal}} [options]
 * @returns {Promise<PaymentPage>} newest first
 */
export async function listPayments(eventId, { limit, cursor, signal } = {}) {
  return (await apiFetch(`/api/payments${query({ event_id: eventId, limit, cursor })}`, { signal })).data;
}

/**
 * @param {Record<string, unknown>} body
 * @param {string} idempotencyKey
 * @returns {Promise<{payment: Payment, replayed: boolean}>}
 */
export async function logPayment(body, idempotencyKey) {
  const { data, headers } = await apiFetch("/api/payments", { method: "POST", body, idempotencyKey });
  return { payment: entry(data?.payment), replayed: headers.get("idempotent-replayed") === "true" };
}

/**
 * @param {string} email
 * @param {{cursor?: string | null, signal?: AbortSignal}} [options]
 * @returns {Promise<PaymentPage>} of all events, newest first
 */
export async function listPaymentsOf(email, { cursor, signal } = {}) {
  return (await apiFetch(`/api/payments${query({ patron_email: email, cursor })}`, { signal })).data;
}

/** @param {string} paymentId @param {AbortSignal} [signal] @returns {Promise<Payment>} */
export async function getPayment(paymentId, signal) {
  return entry((await apiFetch(`/api/payments/${encodeURIComponent(paymentId)}`, { signal })).data?.payment);
}

/**
 * What the caller logged or voided under a key.
 * @param {string} idempotencyKey
 * @returns {Promise<Payment>}
 */
export async function getPaymentByKey(idempotencyKey) {
  return entry((await apiFetch(`/api/payments/by-key/${encodeURIComponent(idempotencyKey)}`)).data?.payment);
}

/**
 * @param {string} paymentId
 * @param {Record<string, unknown>} body
 * @param {string} idempotencyKey
 * @returns {Promise<Voided>}
 */
export async function voidPayment(paymentId, body, idempotencyKey) {
  const path = `/api/payments/${encodeURIComponent(paymentId)}/void`;
  const { data, headers } = await apiFetch(path, { method: "POST", body, idempotencyKey });
  return {
    void: entry(data?.void),
    replacement: data.replacement ? entry(data.replacement) : null,
    replayed: headers.get("idempotent-replayed") === "true",
  };
}

/**
 * @param {{event_id: string} | {from: string, to: string}} wanted business days, "YYYY-MM-DD", both included
 * @param {(bytes: number) => void} progress
 * @param {AbortSignal} [signal]
 * @returns {Promise<{file: Blob, problems: number}>} the whole file, and how many of its rows are marked
 */
export async function exportPayments(wanted, progress, signal) {
  const read = async (/** @type {Response} */ response) => {
    // A captive portal's page is not an export.
    if (!response.headers.get("content-type")?.startsWith("text/csv") || !response.body) return undefined;
    /** @type {Uint8Array<ArrayBuffer>[]} */
    const chunks = [];
    let received = 0;
    const reader = response.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
      progress((received += next.value.length));
    }
    return new Blob(chunks, { type: "text/csv" });
  };
  const { data, headers } = await apiFetch(`/api/payments.csv${query(wanted)}`, { signal, timeoutMs: EXPORT_TIMEOUT_MS, read });
  return { file: data, problems: Number(headers.get("x-problem-rows")) };
}

/** @param {string} name of one of our own pages @returns {Promise<string>} */
export async function getMarkup(name) {
  return (await apiFetch(name, { read: (response) => response.text() })).data;
}

/**
 * An answer's entry.
 * @param {any} found
 * @returns {Payment}
 * @throws {OutcomeUnknownError} a 200 without the record is not a receipt: "unknown" rather than "saved"
 */
function entry(found) {
  const numbers = [found?.seq, found?.amount_cents, found?.logged_at];
  if (!found?.payment_id || !numbers.every(Number.isSafeInteger)) throw new OutcomeUnknownError("server");
  return found;
}

/** @param {Record<string, string | number | null | undefined>} values */
function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return text ? `?${text}` : "";
}
