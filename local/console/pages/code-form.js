/**
 * A form for a code from the authenticator app or, if the form allows it, a backup code.
 *
 * It accepts codes in any notation, shows errors next to the field, and counts down while a factor is locked. The API
 * locks each factor separately and for all routes, so the forms share `pauses`.
 */

import { readBackupCode, readTotpCode } from "./mfa.js";
import { clock, countDown, words } from "./countdown.js";
import { explain } from "./errors.js";

const FACTORS = {
  totp: {
    field: "code",
    label: "Six-digit code",
    hint: "Use your authenticator app.",
    read: readTotpCode,
    unreadable: "Enter the six digits from your app.",
    wrong: explain({ code: "INVALID_CODE" }).next,
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

/** The factors that are locked: until when (as of `performance.now()`; Infinity if only support can unlock it) and why. */
export class Pauses {
  #pauses = new Map();

  set(factor, until, why = "") {
    this.#pauses.set(factor, { until, why });
  }

  /** Return `{until, why}`, or null if the factor is not locked. */
  get(factor) {
    const pause = this.#pauses.get(factor);
    return pause && pause.until > performance.now() ? pause : null;
  }

  clear() {
    this.#pauses.clear();
  }
}

export class CodeForm {
  #form;
  #input;
  #error;
  #pause;
  #submit;
  #switch;
  #pauses;
  #announce;
  #onCode;
  #onError;
  #onWrongCode;
  #factor = "totp";
  #stop = () => {};

  /**
   * @param {HTMLElement} host  container of the form; its id is the prefix of the ids within
   * @param {object} options
   * @param {string} options.submit  text of the button
   * @param {boolean} [options.either]  whether a backup code is accepted too
   * @param {Pauses} options.pauses
   * @param {(text: string) => void} options.announce
   * @param {(offered: {code: string} | {backupCode: string}) => Promise<void>} options.onCode
   * @param {(error: Error, container: HTMLElement) => void} options.onError  shows an error in the container
   * @param {() => Promise<void>} [options.onWrongCode]  reads whether that wrong code has locked its factor
   * @param {boolean} [options.danger]  whether the button has the colour of what cannot be undone
   */
  constructor(host, { submit, either = false, pauses, announce, onCode, onError, onWrongCode, danger = false }) {
    const template = document.getElementById("code-form").content.cloneNode(true);
    this.#form = template.querySelector("form");
    this.#input = template.querySelector("input");
    this.#error = template.querySelector(".field-error");
    this.#pause = template.querySelector(".pause");
    this.#submit = template.querySelector("[type=submit]");
    this.#switch = template.querySelector(".switch");
    this.#input.id = `${host.id}-input`;
    this.#error.id = `${host.id}-error`;
    template.querySelector(".hint").id = `${host.id}-hint`;
    template.querySelector("label").htmlFor = this.#input.id;
    this.#submit.textContent = submit;
    this.#switch.hidden = !either;
    this.#pauses = pauses;
    this.#announce = announce;
    this.#onCode = onCode;
    this.#onError = onError;
    this.#onWrongCode = onWrongCode;
    this.#submit.className = danger ? "outline danger" : "";
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#input.addEventListener("input", () => this.#clearError());
    this.#switch.addEventListener("click", () => {
      this.#use(this.#factor === "totp" ? "backup_code" : "totp");
      this.#input.focus();
    });
    host.append(template);
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
    const pause = this.#pauses.get(this.#factor);
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
    const otherwise = why === TOO_MANY && !this.#switch.hidden ? alternative : "";
    const timed = until !== Infinity;
    timer.textContent = "";
    text.textContent = timed ? `${why} Try again in`.trim() : `${why} ${unlock}${otherwise}`;
    this.#pause.querySelector(".pause-alternative").textContent = timed ? otherwise : "";
    if (!timed) {
      this.#announce(text.textContent);
      return;
    }
    this.#stop = countDown(until, {
      show: (seconds) => {
        timer.textContent = clock(seconds);
      },
      speak: (seconds) => this.#announce(`${text.textContent} ${words(seconds)}${otherwise}.`),
      end: () => {
        this.refresh();
        this.#announce("You can try again now.");
      },
    });
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
    if (this.#pauses.get(this.#factor) !== null) {
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
      await this.#onCode({ [field]: code });
    } catch (error) {
      this.#fail(error, factor);
      if (error.code === "INVALID_CODE") {
        await this.#onWrongCode?.();
        this.refresh();
      }
    } finally {
      this.#form.removeAttribute("aria-busy");
    }
  }

  /** Show the error for a code of `factor`; the user may have switched to the other one in the meantime. */
  #fail(error, factor) {
    const tooMany = error.code === "TOO_MANY_ATTEMPTS";
    if (error.retryAfter) {
      this.#pauses.set(factor, performance.now() + error.retryAfter * 1000, tooMany ? TOO_MANY : "");
    } else if (tooMany) {
      this.#pauses.set(factor, Infinity, TOO_MANY);
    }
    if (error.code === "INVALID_CODE") {
      this.#showError(`${explain(error).title} ${FACTORS[factor].wrong}`);
    } else if (error.code === "VALIDATION_ERROR") {
      const { title, next } = explain(error);
      this.#showError(`${title} ${next}`);
    } else if (!tooMany) {
      this.#onError(error, this.#error);
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
