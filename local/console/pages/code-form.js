/**
 * A form for a code from the authenticator app or, if the form allows it, a backup code.
 *
 * It accepts codes in any notation, shows errors next to the field, and counts down while a factor is locked. The API
 * locks each factor separately and for all routes, so the forms share `pauses`.
 */

import { readBackupCode, readTotpCode } from "./mfa.js";
import { countDown } from "./countdown.js";
import { ERRORS } from "./errors.js";
import { announce, byId } from "./page.js";

const FACTORS = {
  totp: {
    field: "code",
    label: "Six-digit code",
    hint: "Use your authenticator app.",
    read: readTotpCode,
    unreadable: "Enter the six digits from your app.",
    wrong: ERRORS.INVALID_CODE.next,
    other: "Use a backup code instead",
    unlock: "Contact support to unlock your authenticator app",
    alternative: ", or use a backup code",
    attributes: { inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "off" },
  },
  backup_code: {
    field: "backupCode",
    label: "Backup code",
    hint: "Four letters and four digits, such as ABCD-1234. Each works once.",
    read: readBackupCode,
    unreadable: "Enter four letters and four digits, such as ABCD-1234.",
    wrong: "Enter another one. Each code works once, and codes from an older set no longer work.",
    other: "Use your authenticator app",
    unlock: "Contact support to unlock your backup codes",
    alternative: ", or use your authenticator app",
    attributes: { inputmode: "text", autocomplete: "off", autocapitalize: "characters" },
  },
};

export const TOO_MANY = "Too many attempts.";

/**
 * The factors that are locked: `{until, why}` by factor. `until` is a time of `performance.now()`; it is Infinity if only
 * support can unlock the factor.
 */
export const pauses = new Map();

/** Return the pause of a factor, or null if it is not locked. */
export function pauseOf(factor) {
  const pause = pauses.get(factor);
  return pause && pause.until > performance.now() ? pause : null;
}

export class CodeForm {
  #options;
  #form;
  #input;
  #error;
  #pause;
  #submit;
  #switch;
  #factor = "totp";
  #stop = () => {};

  /**
   * @param {HTMLElement} host  container of the form; its id is the prefix of the ids within
   * @param {object} options
   * @param {string} options.submit  text of the button
   * @param {boolean} [options.either]  whether a backup code is accepted too
   * @param {boolean} [options.danger]  whether the button has the colour of what cannot be undone
   * @param {(offered: {code: string} | {backupCode: string}) => Promise<void>} options.onCode
   * @param {(error: Error, container: HTMLElement) => void} options.onError  shows an error in the container
   * @param {() => Promise<void>} [options.onWrongCode]  reads whether that wrong code has locked its factor
   */
  constructor(host, options) {
    this.#options = options;
    host.append(byId("code-form").content.cloneNode(true));
    this.#form = host.querySelector("form");
    this.#input = host.querySelector("input");
    this.#error = host.querySelector(".field-error");
    this.#pause = host.querySelector(".pause");
    this.#submit = host.querySelector("[type=submit]");
    this.#switch = host.querySelector(".switch");
    this.#input.id = `${host.id}-input`;
    this.#error.id = `${host.id}-error`;
    host.querySelector(".hint").id = `${host.id}-hint`;
    host.querySelector("label").htmlFor = this.#input.id;
    this.#input.setAttribute("aria-describedby", `${host.id}-hint ${host.id}-error`);
    this.#submit.textContent = options.submit;
    this.#submit.className = options.danger ? "outline danger" : "";
    this.#switch.hidden = !options.either;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#input.addEventListener("input", () => this.#clearError());
    this.#switch.addEventListener("click", () => {
      this.#use(this.#factor === "totp" ? "backup_code" : "totp");
      this.#input.focus();
    });
    this.reset();
  }

  /** Clear the field and ask for a code from the app. */
  reset() {
    this.#use("totp");
  }

  focus() {
    this.#input.focus();
  }

  /** Show the lock of the current factor, which another form or the account's status may have set. */
  refresh() {
    this.#stop();
    const pause = pauseOf(this.#factor);
    this.#pause.hidden = pause === null;
    this.#submit.setAttribute("aria-disabled", String(pause !== null));
    if (pause === null) {
      return;
    }
    const { until, why } = pause;
    const { unlock, alternative } = FACTORS[this.#factor];
    const text = this.#pause.querySelector(".pause-text");
    const timer = this.#pause.querySelector(".pause-timer");
    // A service that is unavailable accepts the other factor no sooner.
    const otherwise = why === TOO_MANY && this.#options.either ? alternative : "";
    this.#pause.querySelector(".pause-alternative").textContent = otherwise;
    if (until === Infinity) {
      text.textContent = `${why} ${unlock}`;
      timer.textContent = "";
      announce(this.#pause.textContent);
      return;
    }
    text.textContent = `${why} Try again in `.trimStart();
    this.#stop = countDown(
      until,
      timer,
      () => {
        this.refresh();
        announce("You can try again now.");
      },
      (words) => announce(`${text.textContent}${words}${otherwise}.`),
    );
  }

  /** Stop the countdown of a hidden form, and clear its field. */
  leave() {
    this.#stop();
    this.#input.value = "";
  }

  #use(factor) {
    const { label, hint, other, attributes } = FACTORS[factor];
    this.#factor = factor;
    this.#form.querySelector("label").textContent = label;
    this.#form.querySelector(".hint").textContent = hint;
    this.#switch.textContent = other;
    this.#input.value = "";
    this.#input.dataset.factor = factor;
    for (const [name, value] of Object.entries(attributes)) {
      this.#input.setAttribute(name, value);
    }
    this.#clearError();
    this.refresh();
  }

  async #send() {
    if (this.#form.getAttribute("aria-busy") === "true") {
      return;
    }
    if (pauseOf(this.#factor) !== null) {
      this.refresh(); // announces again how long it lasts
      return;
    }
    const factor = this.#factor;
    const { field, read, unreadable } = FACTORS[factor];
    const code = read(this.#input.value);
    if (code === null) {
      this.#showError(unreadable);
      return;
    }
    this.#clearError();
    this.#form.setAttribute("aria-busy", "true");
    try {
      await this.#options.onCode({ [field]: code });
    } catch (error) {
      this.#fail(error, factor);
      if (error.code === "INVALID_CODE") {
        await this.#options.onWrongCode?.();
        this.refresh();
      }
    } finally {
      this.#form.removeAttribute("aria-busy");
    }
  }

  /** Show the error for a code of `factor`; the user may have switched to the other one in the meantime. */
  #fail(error, factor) {
    const tooMany = error.code === "TOO_MANY_ATTEMPTS";
    if (error.retryAfter || tooMany) {
      const until = error.retryAfter ? performance.now() + error.retryAfter * 1000 : Infinity;
      pauses.set(factor, { until, why: tooMany ? TOO_MANY : "" });
    }
    if (error.code === "INVALID_CODE") {
      this.#showError(`${ERRORS.INVALID_CODE.title} ${FACTORS[factor].wrong}`);
    } else if (error.code === "VALIDATION_ERROR") {
      this.#showError(`${ERRORS.VALIDATION_ERROR.title} ${ERRORS.VALIDATION_ERROR.next}`);
    } else if (!tooMany) {
      this.#options.onError(error, this.#error);
    }
    this.refresh();
  }

  #showError(text) {
    this.#error.replaceChildren(text);
    this.#input.setAttribute("aria-invalid", "true");
    this.#input.focus();
    this.#input.select();
  }

  #clearError() {
    this.#error.replaceChildren();
    this.#input.removeAttribute("aria-invalid");
  }
}
