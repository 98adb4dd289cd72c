/**
 * A client of the MFA API for browsers and Node: one method per route, one class for all errors.
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
/** How long an enrolment can be confirmed. */
const ENROLMENT_MS = 600_000;
/** Errors of verify-setup that mean that the enrolment is gone or confirmed. */
const ENROLMENT_ENDED = new Set(["MFA_SETUP_NOT_FOUND", "MFA_SETUP_EXPIRED", "MFA_ALREADY_ENABLED"]);

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
   * @param {number | null} [details.maxAge]      with a 401: sign the user in again, with this `max_age`; else null
   */
  constructor({ code, message, status = 0, requestId = null, retryAfter = null, maxAge = null }) {
    super(message);
    this.name = "MfaError";
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
    this.maxAge = maxAge;
  }
}

export class MfaClient {
  #baseUrl;
  #accessToken;
  #onResponse;
  /** The setup call that `setup()` returns again: `{token, until, response}`. */
  #enrolment = null;
  /** The API's time at the origin of `performance.now()`, in epoch milliseconds. */
  #serverTimeOrigin = null;

  /**
   * @param {object} options
   * @param {string} options.baseUrl  URL of the API with its stage, without a slash at the end
   * @param {() => string | Promise<string>} options.accessToken  called before each request, so that it can refresh the token
   * @param {(call: {method: string, path: string, status: number, milliseconds: number, error: MfaError | null,
   *   body?: object, content: object | null}) => void} [options.onResponse]  called after each request. `body` and
   *   `content` contain codes and secrets: never log them
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

  /**
   * Start an enrolment: `{secret, qrCode}`; `qrCode` is the data URI of an image.
   *
   * Each request to the API replaces the secret, and the QR code on the page would no longer work. So while an enrolment
   * is pending, further calls return the same response: call it each time a component mounts. `forgetEnrolment` ends it.
   */
  async setup() {
    const token = await this.#accessToken();
    // Another token may be another user's.
    if (this.#enrolment?.token !== token || performance.now() > this.#enrolment.until) {
      const response = this.#call("POST", "/auth/mfa/setup");
      const enrolment = { token, until: Infinity, response };
      this.#enrolment = enrolment;
      response.then(
        () => (enrolment.until = performance.now() + ENROLMENT_MS),
        () => (enrolment.until = -Infinity),
      );
    }
    return this.#enrolment.response;
  }

  /** Make the next `setup()` start a new enrolment, and remove the secret of this one from memory. */
  forgetEnrolment() {
    this.#enrolment = null;
  }

  /**
   * Confirm it with a first code: `{enabled, backupCodes, enabledAt}`; the backup codes are returned only once. With
   * proofs on, also `{proof, proofExpiresAt}`.
   */
  async verifySetup(code) {
    try {
      const content = await this.#call("POST", "/auth/mfa/verify-setup", { code });
      this.forgetEnrolment();
      return content;
    } catch (error) {
      if (ENROLMENT_ENDED.has(error.code)) {
        this.forgetEnrolment();
      }
      throw error;
    }
  }

  /**
   * Prove the second factor with `{code}` or `{backupCode}`: `{verified, method, backupCodesRemaining, ...}`.
   *
   * `failedAttempts` and `lastFailedAttemptAt` are there if codes were refused since the last accepted one: show them.
   * With proofs on, `proof` and `proofExpiresAt` are there as well.
   */
  verify(offered) {
    return this.#call("POST", "/auth/mfa/verify", offered);
  }

  /** Replace the backup codes, with a code from the app: `{backupCodes, backupCodesRemaining}`. */
  newBackupCodes(code) {
    return this.#call("POST", "/auth/mfa/backup-codes", { code });
  }

  /** Turn MFA off with `{code}` or `{backupCode}`: `{enabled: false}`. */
  disable(offered) {
    return this.#call("POST", "/auth/mfa/disable", offered);
  }

  /**
   * Return the moment of one of the API's times (`lockedUntil`, `pendingExpiresAt`) as `performance.now()` will show it.
   *
   * The clock of the user's device may be wrong by minutes. The API's time is in the `Date` header of its responses; the
   * device's own clock is used only before the first response.
   */
  localTime(timestamp) {
    return Date.parse(timestamp) - (this.#serverTimeOrigin ?? Date.now() - performance.now());
  }

  async #call(method, path, body) {
    const began = performance.now();
    const report = (status, error, content = null) =>
      this.#onResponse({ method, path, status, milliseconds: performance.now() - began, error, body, content });
    try {
      const { status, content, date } = await this.#send(method, path, body);
      if (date !== null) {
        this.#serverTimeOrigin = date - performance.now();
      }
      report(status, null, content);
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

const MAX_ISSUER_LENGTH = 96;
const MAX_ACCOUNT_LENGTH = 384;
const ELLIPSIS = "\u2026";

/**
 * Return the Key URI that the QR code contains, for a link that opens an authenticator app on the same device.
 *
 * It follows the rules of the API: NFC; unprintable characters and runs of white space become a space; a colon becomes
 * `-`; a part whose percent-encoding is longer than its limit is cut after a whole character and ends with `…`.
 *
 * @param {object} key
 * @param {string} key.secret   as `setup()` returned it
 * @param {string} key.issuer   the deployment's `mfa_issuer`
 * @param {string} key.account  the user's name or e-mail address
 */
export function keyUri({ secret, issuer, account }) {
  const service = keyUriPart(issuer, MAX_ISSUER_LENGTH);
  return `otpauth://totp/${service}:${keyUriPart(account, MAX_ACCOUNT_LENGTH)}?secret=${secret}&issuer=${service}`;
}

function keyUriPart(text, limit) {
  const cleaned = text
    .normalize("NFC")
    .replace(/:/g, "-")
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  const encoded = percentEncoded(cleaned);
  if (encoded.length <= limit) {
    return encoded;
  }
  const room = limit - percentEncoded(ELLIPSIS).length;
  let kept = "";
  for (const character of userCharacters(cleaned)) {
    const piece = percentEncoded(character);
    if (kept.length + piece.length > room) {
      break;
    }
    kept += piece;
  }
  return kept + percentEncoded(ELLIPSIS);
}

/** Percent-encode all but the unreserved characters of RFC 3986; `encodeURIComponent` leaves five others. */
function percentEncoded(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Return the characters that users see: with their accents and skin tones, and flags as a whole. */
function userCharacters(text) {
  return text.match(/\p{RI}{2}[\p{M}\p{EMod}]*|.[\p{M}\p{EMod}]*/gsu) ?? [];
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

/**
 * Return `{status, content, date}` of a successful request; throw an `MfaError` otherwise. `date` is the server's time in
 * epoch milliseconds, or null.
 */
export async function request(url, options = {}) {
  // Not AbortSignal.timeout, which some browsers in use do not have.
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), TIMEOUT_MS);
  let response;
  let text;
  try {
    response = await fetch(url, { cache: "no-store", redirect: "error", signal: aborter.signal, ...options });
    text = await response.text();
  } catch {
    throw new MfaError({ code: aborter.signal.aborted ? TIMEOUT : NETWORK_ERROR, message: "No response" });
  } finally {
    clearTimeout(timer);
  }
  const content = parsed(text);
  if (response.ok && content) {
    const date = Date.parse(response.headers.get("Date") ?? "");
    return { status: response.status, content, date: Number.isNaN(date) ? null : date };
  }
  throw new MfaError({
    code: typeof content?.error === "string" ? content.error : UNEXPECTED_RESPONSE,
    message: content?.message ?? "The response is not the API's",
    status: response.status,
    requestId: content?.request_id ?? null,
    retryAfter: seconds(response.headers.get("Retry-After")),
    maxAge: maxAge(response.headers.get("WWW-Authenticate")),
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

/** Return the `max_age` of a challenge that asks for a more recent login (RFC 9470), or null. */
function maxAge(challenge) {
  const asked = /error="insufficient_user_authentication".*max_age="(\d+)"/.exec(challenge ?? "");
  return asked && Number(asked[1]);
}

function seconds(header) {
  return header !== null && /^\d+$/.test(header) ? Number(header) : null;
}
