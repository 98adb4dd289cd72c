/** The proof of the last accepted code: what it says, how long it is valid, and a call of an API that accepts only it. */

import { MfaError, request } from "./mfa.js";
import { countDown } from "./countdown.js";
import { html, render } from "./html.js";
import { byId, claimsOf, formatTime } from "./page.js";

const PAYMENTS = "/payments";
/** Claims that are times, in epoch seconds. */
const TIMES = new Set(["iat", "auth_time", "exp"]);

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
  render(null, byId("paid"));
  render(token && Object.entries(claimsOf(token)).map(claimRow), byId("claims"));
  if (token === null) {
    return;
  }
  byId("proof-expired").hidden = true;
  byId("proof-valid").hidden = false;
  stopTimer = countDown(until, byId("proof-timer"), () => {
    byId("proof-expired").hidden = false;
    byId("proof-valid").hidden = true;
  });
}

function claimRow([name, value]) {
  const text = TIMES.has(name) ? formatTime(value * 1000, { timeStyle: "medium" }) : [value].flat().join(", ");
  return html`<tr><th scope="row">${name}</th><td><code>${text}</code></td></tr>`;
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
  render(html`<p class="notice" data-kind=${error ? "bad" : "good"}>${text}</p>`, byId("paid"));
}
