/** What the parts of the page share: its elements, announcements, times, and the tokens of the console's server. */

import { request } from "./mfa.js";

export const byId = (id) => document.getElementById(id);

/** Let a screen reader announce a text. */
export function announce(text) {
  // Cleared first, because an unchanged text is not announced again.
  byId("announcer").textContent = "";
  setTimeout(() => {
    byId("announcer").textContent = text;
  }, 50);
}

/** Return a time in the page's language; `options` are those of `Intl.DateTimeFormat`. */
export function formatTime(time, options) {
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(new Date(time));
}

/** Return a new access token of a user. The console's server issues it, in place of an app's login. */
export async function newToken(user) {
  const { content } = await request("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user }),
  });
  return content.accessToken;
}

/** Return the claims of a token. APIs check its signature. */
export function claimsOf(token) {
  const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}
