/**
 * A form for a code: of the app, or where the form allows it a backup code instead.
 *
 * It reads what people type as they like to type it, says what is wrong with it next to the field, and waits out a
 * lock with the time in sight. TOTP and backup codes are locked apart, on every form alike: `pauses` is shared.
 */

import { clock, countDown, words } from "./countdown.js";
import { explain } from "./errors.js";

const FACTORS = {
  totp: {
    field: "code",
    label: "Six-digit code",
    hint: "From your authenticator app.",
    read: (typed) => (/^\d{6}$/.test(typed) ? typed : null),
    unreadable: "Enter the six digits that your app shows.",
    wrong: explain({ code: "INVALID_CODE" }).next,
    other: "Use a backup code instead",
    locked: "Codes of the app",
    attributes: { inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "off" },
  },
  backup_code: {
    field: "backupCode",
    label: "Backup code",
    hint: "Four letters and four digits, such as ABCD-1234. Each works once.",
    read: (typed) => (/^[A-Z]{4}\d{4}$/.test(typed) ? `${typed.slice(0, 4)}-${typed.slice(4)}` : null),
    unreadable: "Enter four letters and four digits, such as ABCD-1234.",
    wrong: "Enter another one: each works once, and those of before you made new ones no longer do.",
    other: "Use a code of the app instead",
    locked: "Backup codes",
    attributes: { inputmode: "text", autocomplete: "off", autocapitalize: "characters" },
  },
};

/** What people mean by what they typed or pasted: any case, spaces, dashes of word processors, wide digits of input methods. */
function normalised(typed) {
  return typed.normalize("NFKC").replace(/[\s\p{Dash}]/gu, "").toUpperCase();
}

/** Why a kind of factor is not looked at for now. */
export const TOO_MANY = "Too many attempts.";

/** Until when kinds of factor are not looked at: epoch milliseconds, Infinity for an operator to end, and why. */
export class Pauses {
  #pauses = new Map();

  set(factor, until, why = "") {
    this.#pauses.set(factor, { until, why });
  }

  /** `{until, why}`, or null when there is none or it is over. */
  get(factor) {
    const pause = this.#pauses.get(factor);
    return pause && pause.until > Date.now() ? pause : null;
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
  #factor = "totp";
  #stop = () => {};

  /**
   * @param {HTMLElement} host  where the form goes; its id begins those of the parts
   * @param {object} options
   * @param {string} options.submit  what the button says
   * @param {boolean} [options.either]  whether a backup code does as well
   * @param {Pauses} options.pauses
   * @param {(text: string) => void} options.announce
   * @param {(proof: {code: string} | {backupCode: string}) => Promise<void>} options.onCode
   * @param {(error: Error, container: HTMLElement) => void} options.onError  shows an error in the container
   */
  constructor(host, { submit, either = false, pauses, announce, onCode, onError }) {
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

  /** Forget what was typed, and ask for a code of the app again. */
  reset() {
    this.#use("totp");
  }

  focus() {
    this.#input.focus();
  }

  /** Begin to wait where another form, or the account's status, has told of a lock. */
  refresh() {
    this.#stop();
    const pause = this.#pauses.get(this.#factor);
    this.#pause.hidden = pause === null;
    this.#submit.setAttribute("aria-disabled", String(pause !== null));
    if (pause === null) {
      return;
    }
    const { until, why } = pause;
    const what = FACTORS[this.#factor].locked;
    const text = this.#pause.querySelector(".pause-text");
    const timer = this.#pause.querySelector(".pause-timer");
    timer.textContent = "";
    if (until === Infinity) {
      text.textContent = `${why} ${what} are taken again once support has unlocked them.`.trim();
      this.#announce(text.textContent);
      return;
    }
    text.textContent = `${why} ${what} are taken again in`.trim();
    this.#stop = countDown(until, {
      show: (seconds) => {
        timer.textContent = clock(seconds);
      },
      speak: (seconds) => this.#announce(`${text.textContent} ${words(seconds)}.`),
      end: () => {
        this.refresh();
        this.#announce("You can try again now.");
      },
    });
  }

  /** Stop counting: the form is out of sight. */
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
      this.refresh(); // says again how long
      return;
    }
    const factor = this.#factor;
    const { field, read, unreadable } = FACTORS[factor];
    const code = read(normalised(this.#input.value));
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
    } finally {
      this.#form.removeAttribute("aria-busy");
    }
  }

  /** Say what came of a code of `factor`; people may have gone over to the other kind meanwhile. */
  #fail(error, factor) {
    const tooMany = error.code === "TOO_MANY_ATTEMPTS";
    if (error.retryAfter) {
      this.#pauses.set(factor, Date.now() + error.retryAfter * 1000, tooMany ? TOO_MANY : "");
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
