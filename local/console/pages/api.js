/**
 * A client of the MFA API for browsers: one method for each route, one class for everything that can go wrong.
 *
 * It depends on nothing and knows nothing of this page. Copy it into your app:
 *
 *     const mfa = new MfaClient({ baseUrl: "https://api.example.com/v1", accessToken: () => session.accessToken });
 *     const { backupCodesRemaining } = await mfa.verify({ code: "123456" });
 *
 * It never retries by itself. A code is good once, and where an answer got lost the code may have been spent:
 * people should send the next one.
 */

/** Longer than API Gateway lets any request take (29 s), so that its answer comes before our patience ends. */
const TIMEOUT_MS = 30_000;

/** Codes that this client makes up where there is no answer of the API to take one from. */
export const NETWORK_ERROR = "NETWORK_ERROR";
export const TIMEOUT = "TIMEOUT";
export const UNEXPECTED_ANSWER = "UNEXPECTED_ANSWER";

/** Any answer but the one that was hoped for. Branch on `code`; `message` is for logs. */
export class MfaError extends Error {
  /**
   * @param {object} answer
   * @param {string} answer.code        the body's `error`, or one of the three above
   * @param {string} answer.message     the body's `message`
   * @param {number} [answer.status]    HTTP status; 0 where there was no answer
   * @param {string | null} [answer.requestId]   what support asks for
   * @param {number | null} [answer.retryAfter]  seconds to wait; null where waiting is not what helps
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
  #onAnswer;

  /**
   * @param {object} options
   * @param {string} options.baseUrl  URL of the API with its stage, without a slash at the end
   * @param {() => string | Promise<string>} options.accessToken  asked before each request, so that it can refresh
   * @param {(call: {method: string, path: string, status: number, milliseconds: number, error: MfaError | null})
   *   => void} [options.onAnswer]  told of each request, without anything that was in it
   */
  constructor({ baseUrl, accessToken, onAnswer = () => {} }) {
    this.#baseUrl = baseUrl;
    this.#accessToken = accessToken;
    this.#onAnswer = onAnswer;
  }

  /** Where the user stands: `{enabled, state, enabledAt, pendingExpiresAt, lockedUntil, backupCodesRemaining}`. */
  status() {
    return this.#call("GET", "/auth/mfa");
  }

  /** Start an enrolment: `{secret, qrCode}`, shown this once; `qrCode` is a data URI for an image. */
  setup() {
    return this.#call("POST", "/auth/mfa/setup");
  }

  /** Confirm it by its first code: `{enabled, backupCodes, enabledAt}`, the backup codes shown this once. */
  verifySetup(code) {
    return this.#call("POST", "/auth/mfa/verify-setup", { code });
  }

  /** Prove the second factor, by `{code}` or `{backupCode}`: `{verified, method, backupCodesRemaining, warnings?}`. */
  verify(proof) {
    return this.#call("POST", "/auth/mfa/verify", proof);
  }

  /** Replace the backup codes, which takes a code of the app: `{backupCodes, backupCodesRemaining}`. */
  newBackupCodes(code) {
    return this.#call("POST", "/auth/mfa/backup-codes", { code });
  }

  /** Turn MFA off, by `{code}` or `{backupCode}`: `{enabled: false}`. */
  disable(proof) {
    return this.#call("POST", "/auth/mfa/disable", proof);
  }

  async #call(method, path, body) {
    const began = performance.now();
    const tell = (status, error) =>
      this.#onAnswer({ method, path, status, milliseconds: performance.now() - began, error });
    try {
      const { status, content } = await this.#send(method, path, body);
      tell(status, null);
      return content;
    } catch (error) {
      tell(error.status ?? 0, error);
      throw error;
    }
  }

  async #send(method, path, body) {
    const headers = { Authorization: `Bearer ${await this.#accessToken()}` };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    let answer;
    let text;
    try {
      answer = await fetch(this.#baseUrl + path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        cache: "no-store",
        credentials: "omit", // the token says who is calling; cookies have no part in it
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await answer.text();
    } catch (cause) {
      const code = cause.name === "TimeoutError" ? TIMEOUT : NETWORK_ERROR;
      throw new MfaError({ code, message: "No answer" });
    }
    const content = parsed(text);
    if (answer.ok && content) {
      return { status: answer.status, content };
    }
    throw new MfaError({
      code: typeof content?.error === "string" ? content.error : UNEXPECTED_ANSWER,
      message: content?.message ?? "The answer is none of the API's",
      status: answer.status,
      requestId: content?.request_id ?? null,
      retryAfter: seconds(answer.headers.get("Retry-After")),
    });
  }
}

/** The object that a body holds, or null where it is none: a proxy on the way may answer in HTML. */
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
