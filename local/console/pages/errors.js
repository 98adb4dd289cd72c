/**
 * The text for each error of the API.
 *
 * `title` says what happened, `next` what to do, `nextCode` what to do if the request had a code. `action` is the button
 * that the page offers:
 *
 * - `sign-in`: the session has ended
 * - `set-up`: start the enrolment over
 * - `account`: show the account, whose status has changed elsewhere
 * - `retry`: send the request again after `Retry-After`; only for requests without a code
 */

import { NETWORK_ERROR, TIMEOUT, UNEXPECTED_RESPONSE } from "./mfa.js";

export const ERRORS = {
  VALIDATION_ERROR: {
    title: "That is not a valid code.",
    next: "Enter the six digits from your app, or a backup code such as ABCD-1234.",
  },
  INVALID_CODE: {
    title: "That code is wrong or was already used.",
    next: "Enter the current code. If codes keep failing, turn on automatic time on your phone.",
  },
  UNAUTHORIZED: {
    title: "Your session has ended.",
    next: "Sign in again to continue.",
    action: "sign-in",
  },
  INSUFFICIENT_SCOPE: {
    title: "This sign-in cannot change two-step verification.",
    next: "The access token does not have the required scope. Sign in with one that does.",
    action: "sign-in",
  },
  MFA_SETUP_NOT_FOUND: {
    title: "This setup is no longer valid.",
    next: "It was replaced, or cancelled after too many wrong codes. Start over with a new QR code.",
    action: "set-up",
  },
  MFA_ALREADY_ENABLED: {
    title: "Two-step verification is already on.",
    next: "If you do not have its backup codes, create new ones in your account.",
    action: "account",
  },
  MFA_NOT_ENABLED: {
    title: "Two-step verification is off.",
    next: "It was turned off in the meantime, perhaps in another window.",
    action: "account",
  },
  CONFLICT: {
    title: "Another request was in progress.",
    next: "Try again.",
    nextCode: "Enter the current code.",
    action: "retry",
  },
  MFA_SETUP_EXPIRED: {
    title: "This setup has expired.",
    next: "A setup is valid for ten minutes. Start over with a new QR code.",
    action: "set-up",
  },
  TOO_MANY_ATTEMPTS: {
    title: "Too many requests.",
    next: "Wait a moment, then try again.",
    action: "retry",
  },
  SERVICE_UNAVAILABLE: {
    title: "The service is temporarily unavailable.",
    next: "Try again in a moment.",
    nextCode: "Nothing has changed, and this did not count as an attempt. Enter your next code.",
    action: "retry",
  },
  INTERNAL_ERROR: {
    title: "Something went wrong on our side.",
    next: "Try again. If it keeps happening, give support the request ID.",
    action: "retry",
  },
  FORBIDDEN: {
    title: "The request was blocked.",
    next: "Wait a few minutes, then try again. If it keeps happening, give support the request ID.",
    action: "retry",
  },
  NOT_FOUND: {
    title: "The service does not support this request.",
    next: "This page may be out of date. Reload it.",
  },
  PAYLOAD_TOO_LARGE: {
    title: "That is too long.",
    next: "Enter only the code.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    title: "The service does not support this type of request.",
    next: "This page may be out of date. Reload it.",
  },
  [NETWORK_ERROR]: {
    title: "The service cannot be reached.",
    next: "Check your connection, then try again.",
    nextCode: "Check your connection. Your code may have been used: enter your next code.",
    action: "retry",
  },
  [TIMEOUT]: {
    title: "The service did not respond in time.",
    next: "Try again in a moment.",
    nextCode: "Your code may have been used: enter your next code.",
    action: "retry",
  },
  [UNEXPECTED_RESPONSE]: {
    title: "The response is not valid.",
    next: "It may come from a proxy between this page and the service. Try again in a moment.",
    nextCode: "It may come from a proxy between this page and the service. Enter your next code.",
    action: "retry",
  },
};

const LOGIN_TOO_OLD = {
  title: "Sign in again to change two-step verification.",
  next: "You signed in too long ago for this.",
  action: "sign-in",
};

/** Return the text for an error; a code of a later API version gets that of an internal error. */
export function explain(error) {
  return error.maxAge === null ? (ERRORS[error.code] ?? ERRORS.INTERNAL_ERROR) : LOGIN_TOO_OLD;
}
