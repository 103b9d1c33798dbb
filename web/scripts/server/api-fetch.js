/** The one function that talks to the server, and its errors. */

const TIMEOUT_MS = 15_000;

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

/** No answer, or one that proves nothing: the call may or may not have taken effect. */
export class OutcomeUnknownError extends Error {
  /**
   * @param {"offline" | "timeout" | "server" | "busy"} cause
   * @param {number | null} [retryAfterMs] when the server asks to be called again
   */
  constructor(cause, retryAfterMs = null) {
    super({
      offline: "The server could not be reached.",
      timeout: "The server took too long to answer.",
      server: "The server had a problem.",
      busy: "The server is busy.",
    }[cause]);
    this.name = "OutcomeUnknownError";
    this.reason = cause;
    this.retryAfterMs = retryAfterMs;
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
 * @param {(response: Response) => Promise<any>} [options.read] reads the data of a success; undefined if it cannot
 * @returns {Promise<{data: any, headers: Headers}>}
 * @throws {ProblemError | OutcomeUnknownError} or the signal's AbortError when the caller aborted
 */
export async function apiFetch(path, options = {}) {
  const { method = "GET", body, idempotencyKey, signal, timeoutMs = TIMEOUT_MS, read = readJson } = options;
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json, application/problem+json" };
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  let bytes;
  if (method !== "GET") {
    bytes = new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body));
    // CloudFront signs the request to the function for us, but only the sender can hash the body.
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
  const retryAfterMs = retryAfter(response.headers);
  if (response.status >= 500) throw new OutcomeUnknownError(retryAfterMs === null ? "server" : "busy", retryAfterMs);
  throw new ProblemError(response.status, data ?? {}, retryAfterMs);
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
  // The header has whole seconds and the answer takes time to arrive: smaller differences are noise.
  clockOffset = Math.abs(offset) > 5_000 ? offset : 0;
}
