/** The proof of the last accepted code: what it says, how long it is valid, and a call of an API that accepts only it. */

import { MfaError, request } from "./mfa.js";
import { clock, countDown } from "./countdown.js";
import { html, render } from "./html.js";

const PAYMENTS = "/payments";
/** Claims that are times, in epoch seconds. */
const TIMES = new Set(["iat", "auth_time", "exp"]);

const byId = (id) => document.getElementById(id);

let token = null;
let stopTimer = () => {};

/**
 * Show a proof, or hide the section if there is none.
 *
 * @param {string | undefined} proof  the token
 * @param {number} until  when it expires, as of `performance.now()`
 */
export function showProof(proof, until) {
  stopTimer();
  token = proof ?? null;
  byId("proof").hidden = token === null;
  byId("paid").replaceChildren();
  render(token === null ? null : claimsOf(token).map(([name, value]) => html`<tr><th scope="row">${name}</th><td><code>${value}</code></td></tr>`), byId("claims"));
  if (token === null) {
    return;
  }
  byId("proof-expired").hidden = true;
  byId("proof-valid").hidden = false;
  stopTimer = countDown(until, {
    show: (seconds) => {
      byId("proof-timer").textContent = clock(seconds);
    },
    end: () => {
      byId("proof-expired").hidden = false;
      byId("proof-valid").hidden = true;
    },
  });
}

/** Return the claims with their values as text, times as the user's clock shows them. Other APIs check the signature. */
function claimsOf(jwt) {
  const payload = jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
  return Object.entries(JSON.parse(new TextDecoder().decode(bytes))).map(([name, value]) => [
    name,
    TIMES.has(name) ? format.format(value * 1000) : [value].flat().join(", "),
  ]);
}

/** Call the protected API with the proof, and show its response. */
export async function pay(protectedApiUrl, onResponse) {
  const started = performance.now();
  let status;
  let error = null;
  let text;
  try {
    const response = await request(protectedApiUrl + PAYMENTS, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
    });
    status = response.status;
    text = `Accepted: paid by user ${response.content.paidBy}.`;
  } catch (failure) {
    if (!(failure instanceof MfaError)) {
      throw failure;
    }
    ({ status } = failure);
    error = failure;
    text = `Refused (${status || "no response"}). Sign in again and enter a new code.`;
  }
  onResponse({ method: "POST", path: PAYMENTS, status, milliseconds: performance.now() - started, error });
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.dataset.kind = error ? "bad" : "good";
  notice.textContent = text;
  byId("paid").replaceChildren(notice);
}
