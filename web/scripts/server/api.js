/** The API's calls, one function each, and the shapes of their answers. */

import { OutcomeUnknownError, apiFetch } from "./api-fetch.js";

/** @typedef {"read_events" | "read_payments" | "log_payments"} Grant */
/** @typedef {{email: string, name: string, groups: string[], may: Grant[]}} User */
/** @typedef {{email: string, name: string, waiver_signed_at?: number | null}} Patron */
/**
 * @typedef {object} ScEvent
 * @property {string} event_id
 * @property {string} name
 * @property {string} event_date "YYYY-MM-DD"
 * @property {string} timezone IANA name
 * @property {string} location
 * @property {number} roster_size
 * @property {number} [payments_count] for admins and auditors only, like the next two
 * @property {string} [total] decimal string
 * @property {number | null} [last_payment_at] epoch ms
 * @property {Partial<Record<Method, string>>} [totals_by_method] decimal strings
 * @property {{failed: number, late: number}} [audit] how many of its audit mails have failed or are overdue
 */
/** @typedef {import("../entries/methods.js").Method} Method */
/**
 * @typedef {object} Audit
 * @property {"queued" | "sending" | "sent" | "failed"} state
 * @property {number | null} [sent_at] epoch ms
 * @property {number} [attempts]
 * @property {{class?: string, code?: string, message?: string, at?: number} | string | null} [last_error]
 */
/**
 * @typedef {object} Payment
 * @property {string} payment_id
 * @property {"payment" | "void"} kind
 * @property {string} event_id
 * @property {string} event_name
 * @property {string} event_date "YYYY-MM-DD"
 * @property {string} patron_email
 * @property {string} patron_name
 * @property {number} amount_cents
 * @property {string} amount
 * @property {Method} method
 * @property {string | null} [reference]
 * @property {string | null} [note]
 * @property {number} timestamp epoch ms, as captured in the form
 * @property {number} logged_at epoch ms, by the server's clock
 * @property {string} logged_by
 * @property {number} seq
 * @property {string} hash
 * @property {string} prev_hash
 * @property {string[]} [acknowledged_duplicates] payment_ids
 * @property {string} [voids] payment_id, for kind void, like the next
 * @property {string} [reason]
 * @property {string | null} [voided_by] payment_id
 * @property {Audit} [audit]
 */
/** @typedef {{void: Payment, replacement: Payment | null, replayed: boolean}} Voided */

const EXPORT_TIMEOUT_MS = 60_000;

/** @returns {Promise<User | null>} null when nobody is signed in */
export async function getSession() {
  return (await apiFetch("/api/session?optional=true")).data.user;
}

/** @param {string} email @param {string} password @returns {Promise<User>} */
export async function signIn(email, password) {
  return (await apiFetch("/api/session", { method: "POST", body: { email, password } })).data.user;
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
 * @returns {Promise<{payments: Payment[], cursor: string | null}>} newest first
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
  // A 200 without the record is no receipt: report "unknown" rather than "saved".
  if (!data?.payment?.payment_id) throw new OutcomeUnknownError("server");
  return { payment: data.payment, replayed: headers.get("idempotent-replayed") === "true" };
}

/**
 * @param {string} email
 * @param {{cursor?: string | null, signal?: AbortSignal}} [options]
 * @returns {Promise<{payments: Payment[], cursor: string | null}>} of all events, newest first
 */
export async function listPaymentsOf(email, { cursor, signal } = {}) {
  return (await apiFetch(`/api/payments${query({ patron_email: email, cursor })}`, { signal })).data;
}

/** @param {string} paymentId @param {AbortSignal} [signal] @returns {Promise<Payment>} */
export async function getPayment(paymentId, signal) {
  return (await apiFetch(`/api/payments/${encodeURIComponent(paymentId)}`, { signal })).data.payment;
}

/**
 * What the caller logged or voided under a key.
 * @param {string} idempotencyKey
 * @returns {Promise<Payment>}
 */
export async function getPaymentByKey(idempotencyKey) {
  return (await apiFetch(`/api/payments/by-key/${encodeURIComponent(idempotencyKey)}`)).data.payment;
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
  if (!data?.void?.payment_id) throw new OutcomeUnknownError("server");
  return {
    void: data.void,
    replacement: data.replacement ?? null,
    replayed: headers.get("idempotent-replayed") === "true",
  };
}

/**
 * @param {{event_id: string} | {from: string, to: string}} wanted days are "YYYY-MM-DD" in UTC, both included
 * @param {(bytes: number) => void} progress
 * @param {AbortSignal} [signal]
 * @returns {Promise<Blob>} the whole file
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
  return (await apiFetch(`/api/payments.csv${query(wanted)}`, { signal, timeoutMs: EXPORT_TIMEOUT_MS, read })).data;
}

/** @param {string} name of one of our own pages @returns {Promise<string>} */
export async function getMarkup(name) {
  return (await apiFetch(name, { read: (response) => response.text() })).data;
}

/** @param {Record<string, string | number | null | undefined>} values */
function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return text ? `?${text}` : "";
}
