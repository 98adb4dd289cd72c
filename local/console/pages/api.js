/**
 * A client of the MFA API for browsers: one method per route, one class for all errors.
 *
 * It has no dependencies. Copy it into your app:
 *
 *     const mfa = new MfaClient({ baseUrl: "https://api.example.com/v1", accessToken: () => session.accessToken });
 *     const { backupCodesRemaining } = await mfa.verify({ code: "123456" });
 *
 * It never retries. A code works once, and if its response is lost the code may have been used: let the user enter the
 * next one.
 */

/** Longer than API Gateway's limit for a request (29 s), so that its response arrives first. */
const TIMEOUT_MS = 30_000;

/** Codes of errors for which there is no response from the API. */
export const NETWORK_ERROR = "NETWORK_ERROR";
export const TIMEOUT = "TIMEOUT";
export const UNEXPECTED_RESPONSE = "UNEXPECTED_RESPONSE";

/** Any result but a 200. Branch on `code`; `message` is for logs. */
export class MfaError extends Error {
  /**
   * @param {object} details
   * @param {string} details.code        the body's `error`, or one of the three above
   * @param {string} details.message     the body's `message`
   * @param {number} [details.status]    HTTP status; 0 without a response
   * @param {string | null} [details.requestId]   for support
   * @param {number | null} [details.retryAfter]  seconds to wait; null if waiting does not help
   */
  constructor({ code, message, status = 0, requestId = null, retryAfter = null }) {
    super(message);
    this.name = "MfaError";
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

export class MfaClient {
  #baseUrl;
  #accessToken;
  #onResponse;

  /**
   * @param {object} options
   * @param {string} options.baseUrl  URL of the API with its stage, without a slash at the end
   * @param {() => string | Promise<string>} options.accessToken  called before each request, so that it can refresh the token
   * @param {(call: {method: string, path: string, status: number, milliseconds: number, error: MfaError | null})
   *   => void} [options.onResponse]  called after each request, without its content
   */
  constructor({ baseUrl, accessToken, onResponse = () => {} }) {
    this.#baseUrl = baseUrl;
    this.#accessToken = accessToken;
    this.#onResponse = onResponse;
  }

  /** Return the user's MFA status: `{enabled, state, enabledAt, pendingExpiresAt, lockedUntil, backupCodesRemaining}`. */
  status() {
    return this.#call("GET", "/auth/mfa");
  }

  /** Start an enrolment: `{secret, qrCode}`, returned only once; `qrCode` is the data URI of an image. */
  setup() {
    return this.#call("POST", "/auth/mfa/setup");
  }

  /** Confirm it with a first code: `{enabled, backupCodes, enabledAt}`; the backup codes are returned only once. */
  verifySetup(code) {
    return this.#call("POST", "/auth/mfa/verify-setup", { code });
  }

  /** Prove the second factor with `{code}` or `{backupCode}`: `{verified, method, backupCodesRemaining, warnings?}`. */
  verify(proof) {
    return this.#call("POST", "/auth/mfa/verify", proof);
  }

  /** Replace the backup codes, with a code from the app: `{backupCodes, backupCodesRemaining}`. */
  newBackupCodes(code) {
    return this.#call("POST", "/auth/mfa/backup-codes", { code });
  }

  /** Turn MFA off with `{code}` or `{backupCode}`: `{enabled: false}`. */
  disable(proof) {
    return this.#call("POST", "/auth/mfa/disable", proof);
  }

  async #call(method, path, body) {
    const began = performance.now();
    const report = (status, error) =>
      this.#onResponse({ method, path, status, milliseconds: performance.now() - began, error });
    try {
      const { status, content } = await this.#send(method, path, body);
      report(status, null);
      return content;
    } catch (error) {
      report(error.status ?? 0, error);
      throw error;
    }
  }

  async #send(method, path, body) {
    const headers = { Authorization: `Bearer ${await this.#accessToken()}` };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    return request(this.#baseUrl + path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: "omit", // the token identifies the caller; cookies play no part
    });
  }
}

/** Return the six digits of a typed or pasted TOTP code, or null if it is not one. */
export function readTotpCode(typed) {
  const code = normalised(typed);
  return /^[0-9]{6}$/.test(code) ? code : null;
}

/** Return a typed or pasted backup code as `ABCD-1234`, or null if it is not one. */
export function readBackupCode(typed) {
  const code = normalised(typed);
  return /^[A-Z]{4}[0-9]{4}$/.test(code) ? `${code.slice(0, 4)}-${code.slice(4)}` : null;
}

/** White space, dashes and the minus sign, and invisible characters: dropped, as the API does. */
const IGNORED = /[\p{White_Space}\u001c-\u001f\p{Pd}\u2212\p{Cf}]/gu;

/** Return text without ignored characters, and with digits of any script and full-width letters in ASCII. */
function normalised(typed) {
  return typed
    .replace(IGNORED, "")
    .replace(/\p{Nd}/gu, decimal)
    .replace(/[\uff21-\uff3a\uff41-\uff5a]/gu, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0xfee0))
    .replace(/[a-z]/g, (letter) => letter.toUpperCase()); // not the whole text: the upper case of a sharp s is SS
}

/** Return the value of a decimal digit. Unicode has them in runs from zero to nine, some right after each other. */
function decimal(digit) {
  const point = digit.codePointAt(0);
  let start = point;
  while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) {
    start -= 1;
  }
  return String((point - start) % 10);
}

/** Return `{status, content}` of a successful request; throw an `MfaError` otherwise. */
export async function request(url, options = {}) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response;
  let text;
  try {
    response = await fetch(url, { cache: "no-store", redirect: "error", signal, ...options });
    text = await response.text();
  } catch (cause) {
    const code = cause.name === "TimeoutError" ? TIMEOUT : NETWORK_ERROR;
    throw new MfaError({ code, message: "No response" });
  }
  const content = parsed(text);
  if (response.ok && content) {
    return { status: response.status, content };
  }
  throw new MfaError({
    code: typeof content?.error === "string" ? content.error : UNEXPECTED_RESPONSE,
    message: content?.message ?? "The response is not the API's",
    status: response.status,
    requestId: content?.request_id ?? null,
    retryAfter: seconds(response.headers.get("Retry-After")),
  });
}

/** Return the object in a body, or null if there is none: a proxy may respond with HTML. */
function parsed(text) {
  try {
    const content = JSON.parse(text);
    return content !== null && typeof content === "object" ? content : null;
  } catch {
    return null;
  }
}

function seconds(header) {
  return header !== null && /^\d+$/.test(header) ? Number(header) : null;
}
