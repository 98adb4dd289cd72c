/**
 * What people are told for each error of the API, and what they can do next.
 *
 * `title` says what happened, `next` what to do. `action` is what a button offers:
 *
 * - `sign-in`: the session is over
 * - `set-up`: begin enrolment from the start
 * - `account`: look at where the account stands, since it is not what this page thought
 * - `retry`: send the same request again, once `Retry-After` is over; for requests without a code
 */

import { NETWORK_ERROR, TIMEOUT, UNEXPECTED_ANSWER } from "./api.js";

const MAYBE_SPENT = "If you had just entered a code, it may have been used: enter the next one.";

export const ERRORS = {
  VALIDATION_ERROR: {
    title: "That cannot be read as a code.",
    next: "Enter the six digits that your app shows, or a backup code such as ABCD-1234.",
  },
  INVALID_CODE: {
    title: "That code is wrong, or was used before.",
    next: "Each works once: enter the one that is shown now. If none is taken, let your phone set its clock by itself.",
  },
  UNAUTHORIZED: {
    title: "Your session has ended.",
    next: "Sign in again to go on.",
    action: "sign-in",
  },
  INSUFFICIENT_SCOPE: {
    title: "This sign-in may not change the second factor.",
    next: "The access token lacks the scope that this deployment asks for. Sign in with one that has it.",
    action: "sign-in",
  },
  MFA_SETUP_NOT_FOUND: {
    title: "There is nothing to confirm any more.",
    next: "The set-up was replaced, or discarded after too many wrong codes. Start again with a new QR code.",
    action: "set-up",
  },
  MFA_ALREADY_ENABLED: {
    title: "The second factor is on already.",
    next: "If you have no backup codes of it, make new ones in your account.",
    action: "account",
  },
  MFA_NOT_ENABLED: {
    title: "The second factor is off.",
    next: "It was turned off meanwhile, perhaps in another window.",
    action: "account",
  },
  CONFLICT: {
    title: "Another request was faster.",
    next: "That says nothing about your code. Enter the one that is shown now.",
    action: "retry",
  },
  MFA_SETUP_EXPIRED: {
    title: "The set-up has expired.",
    next: "It can be confirmed for ten minutes. Start again with a new QR code.",
    action: "set-up",
  },
  TOO_MANY_ATTEMPTS: {
    title: "Too many requests.",
    next: "Wait a moment, then try again.",
    action: "retry",
  },
  SERVICE_UNAVAILABLE: {
    title: "The service is not available at the moment.",
    next: `Nothing was changed, and it did not count as an attempt. ${MAYBE_SPENT}`,
    action: "retry",
  },
  INTERNAL_ERROR: {
    title: "Something went wrong on our side.",
    next: "Try again. If it stays, tell support the request id.",
    action: "retry",
  },
  FORBIDDEN: {
    title: "The request was refused.",
    next: "A firewall in front of the service let it not through. If it stays, tell support the request id.",
    action: "retry",
  },
  NOT_FOUND: {
    title: "The service does not know this request.",
    next: "This page and the service may be of different versions. Reload the page.",
    action: "retry",
  },
  PAYLOAD_TOO_LARGE: {
    title: "That is more than the service takes.",
    next: "Enter the code alone.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    title: "The service does not take this kind of request.",
    next: "This page and the service may be of different versions. Reload the page.",
  },
  [NETWORK_ERROR]: {
    title: "The service cannot be reached.",
    next: `Check your connection, then try again. ${MAYBE_SPENT}`,
    action: "retry",
  },
  [TIMEOUT]: {
    title: "The service takes too long to answer.",
    next: `Try again in a moment. ${MAYBE_SPENT}`,
    action: "retry",
  },
  [UNEXPECTED_ANSWER]: {
    title: "The answer cannot be understood.",
    next: "Something between this page and the service answered in its place. Try again in a moment.",
    action: "retry",
  },
};

/** A code that a later version of the API may have added is told like any other failure. */
export function explain(error) {
  return ERRORS[error.code] ?? ERRORS.INTERNAL_ERROR;
}
