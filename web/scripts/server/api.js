/** The only module that talks to the server. */

/** @typedef {{email: string, name: string, groups: string[]}} User */
/** @typedef {{email: string, name: string, waiver_signed_at?: number | null}} Patron */
/**
 * @typedef {object} ScEvent
 * @property {string} event_id
 * @property {string} name
 * @property {string} event_date "YYYY-MM-DD"
 * @property {string} timezone IANA name
 * @property {string} location
 * @property {number} roster_size
 * @property {number} [payments_count] for admins and auditors only, as are the next two
 * @property {string} [total] decimal string
 * @property {number | null} [last_payment_at] epoch ms
 * @property {Partial<Record<Method, string>>} [totals_by_method] decimal strings
 * @property {{failed: number, late: number}} [audit] how many of its audit mails have failed or are overdue
 */
/** @typedef {"credit_card" | "cash" | "check" | "ach"} Method */
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
 * @property {string} [voids] payment_id, for kind void, as is the next
 * @property {string} [reason]
 * @property {string | null} [voided_by] payment_id
 * @property {Audit} [audit]
 */
/** @typedef {{void: Payment, replacement: Payment | null, replayed: boolean}} Voided */
/** @typedef {{field: string, code: string, message: string}} FieldError */

const TIMEOUT_MS = 15_000;
const EXPORT_TIMEOUT_MS = 60_000;

/** The server answered and refused: nothing was changed. */
export class ProblemError extends Error {
  /**
   * @param {number} status
   * @param {{title?: string, detail?: string, type?: string, code?: string, errors?: FieldError[], [extra: string]: unknown}} body
   * @param {number | null} retryAfterMs
   */
  constructor(status, body, retryAfterMs) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.name = "ProblemError";
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
    /** @type {FieldError[]} */
    this.fields = Array.isArray(body.errors) ? body.errors : [];
    this.code = body.code ?? this.fields[0]?.code ?? "";
  }
}

/** No answer, or one that says nothing about what was done: the call may or may not have had its effect. */
export class OutcomeUnknownError extends Error {
  /** @param {"offline" | "timeout" | "server"} cause */
  constructor(cause) {
    super({
      offline: "The server could not be reached.",
      timeout: "The server took too long to answer.",
      server: "The server had a problem.",
    }[cause]);
    this.name = "OutcomeUnknownError";
    this.reason = cause;
  }
}

let clockOffset = 0;

/** @returns {number} epoch ms by the server's clock: a tablet at the dock may be minutes off */
export function serverNow() {
  return Date.now() + clockOffset;
}

/**
 * @param {string} path
 * @param {object} [options]
 * @param {string} [options.method]
 * @param {unknown} [options.body]
 * @param {string} [options.idempotencyKey]
 * @param {AbortSignal} [options.signal]
 * @param {number} [options.timeoutMs]
 * @param {(response: Response) => Promise<any>} [options.read] makes the data of a success; undefined if it cannot
 * @returns {Promise<{data: any, headers: Headers}>}
 * @throws {ProblemError | OutcomeUnknownError} or the signal's AbortError when the caller lost interest
 */
export async function apiFetch(path, options = {}) {
  const { method = "GET", body, idempotencyKey, signal, timeoutMs = TIMEOUT_MS, read = readJson } = options;
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json, application/problem+json" };
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  let bytes;
  if (method !== "GET") {
    bytes = new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body));
    // CloudFront signs the request to the function for us, but only the sender can vouch for the body.
    headers["x-amz-content-sha256"] = await sha256Hex(bytes);
    if (body !== undefined) headers["content-type"] = "application/json";
  }
  if (idempotencyKey) headers["idempotency-key"] = idempotencyKey;

  const timeout = AbortSignal.timeout(timeoutMs);
  /** @type {Response} */
  let response;
  /** @type {any} */
  let data;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: bytes?.length ? bytes : undefined,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    data = await (response.ok ? read : readJson)(response);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new OutcomeUnknownError(timeout.aborted ? "timeout" : "offline");
  }
  noteServerClock(response.headers);
  if (response.ok) {
    // A success that cannot be read (a captive portal's page, a cut body) proves nothing.
    if (data === undefined && response.status !== 204) throw new OutcomeUnknownError("server");
    return { data, headers: response.headers };
  }
  if (response.status >= 500) throw new OutcomeUnknownError("server");
  throw new ProblemError(response.status, data ?? {}, retryAfter(response.headers));
}

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
  // 200 without the record is no receipt: say "unknown" rather than "saved".
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
    // A captive portal's page is no export.
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

/** @param {string} name of a page of ours @returns {Promise<string>} */
export async function getMarkup(name) {
  return (await apiFetch(name, { read: (response) => response.text() })).data;
}

/** @param {Record<string, string | number | null | undefined>} values */
function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return text ? `?${text}` : "";
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function sha256Hex(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Response} response */
async function readJson(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {Headers} headers */
function retryAfter(headers) {
  const value = headers.get("retry-after");
  return value !== null && /^\d+$/.test(value) ? Number(value) * 1000 : null;
}

/** @param {Headers} headers */
function noteServerClock(headers) {
  const stated = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(stated)) return;
  const offset = stated - Date.now();
  // The header has whole seconds and the answer travelled: smaller differences are noise.
  clockOffset = Math.abs(offset) > 5_000 ? offset : 0;
}
