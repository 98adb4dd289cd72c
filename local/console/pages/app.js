/**
 * The page: a login with a second step, and the account's settings, as in an app.
 *
 * The access token, the key and the backup codes are in memory and, while the user needs to see them, on the page. They
 * are never in the URL, the history, storage or a cookie.
 */

import { keyUri, MfaClient, MfaError, request } from "./mfa.js";
import { CodeForm, pauseOf, pauses, TOO_MANY } from "./code-form.js";
import { countDown } from "./countdown.js";
import { explain } from "./errors.js";
import { html, render } from "./html.js";
import { announce, byId, claimsOf, formatTime, newToken } from "./page.js";
import { pay, showProof } from "./proof.js";

const TITLE = "MFA console";
const BACKUP_CODES = 8;
/** A date and a time, in the notation of the page's language. */
const MEDIUM = { dateStyle: "medium", timeStyle: "short" };
const SHOWN_CALLS = 12;
/** How the paths of the API begin. The protected API is another one, without a page in the documentation. */
const API_PATHS = "/auth/";
/** `lockedUntil` of a factor that only an operator can unlock. */
const FOR_GOOD = "9999-12-31T23:59:59Z";

/** The signed-in user, their client and their MFA status; null while signed out. */
let session = null;
let view = "sign-in";
/** Backup codes on the page that the user has not confirmed to have saved. */
let unsaved = null;
let stopTimer = () => {};
/** Whether `history.back()` is under way; a second call would leave the page. */
let goingBack = false;
/** The message that the account shows after `history.back()`. */
let messageForAccount = null;

// -- views and history ------------------------------------------------------------------------------------------

/** Views from which the back button leads to the account. */
const OPENED_FROM_ACCOUNT = new Set(["set-up", "backup-codes", "new-codes", "turn-off"]);

/** Show a view, and clear the secrets of the previous one. */
function show(name, { push = false, focus = true } = {}) {
  stopTimer();
  stopTimer = () => {};
  for (const form of Object.values(forms)) {
    form.leave();
  }
  if (name !== "set-up") {
    forgetSecret();
  }
  if (name !== "backup-codes") {
    forgetCodes();
  }
  view = name;
  for (const section of document.querySelectorAll(".view")) {
    section.hidden = section.dataset.view !== name;
  }
  const heading = byId(`${name}-title`);
  document.title = `${heading.textContent} – ${TITLE}`;
  const url = name === "sign-in" ? "/" : `#${name}`;
  const state = { view: name, above: push || (OPENED_FROM_ACCOUNT.has(name) && Boolean(history.state?.above)) };
  if (push) {
    history.pushState(state, "", url);
  } else {
    history.replaceState(state, "", url);
  }
  forms[name]?.reset();
  window.scrollTo(0, 0);
  if (focus) {
    heading.focus();
  }
}

/** Return to the account, through the history if it was opened from there, and show a message. */
function home(done = null) {
  if (goingBack) {
    return;
  }
  if (history.state?.above) {
    goingBack = true;
    messageForAccount = done;
    history.back();
  } else {
    showAccount(done);
  }
}

window.addEventListener("popstate", (event) => {
  const target = event.state?.view;
  goingBack = false;
  if (target === undefined || session === null) {
    // A link within the page, or a view of a session that has ended.
    if (session === null) {
      show("sign-in");
    }
  } else if (unsaved !== null) {
    history.pushState({ view: "backup-codes", above: true }, "", "#backup-codes");
    byId("saved-error").replaceChildren("Save your codes first. They are shown only now.");
    byId("saved").focus();
  } else if (!session.passed) {
    show("second-step");
  } else if ((target === "new-codes" || target === "turn-off") && session.status?.enabled) {
    show(target);
    forms[target].focus();
  } else {
    showAccount(messageForAccount);
    messageForAccount = null;
  }
});

window.addEventListener("beforeunload", (event) => {
  if (unsaved !== null) {
    event.preventDefault();
  }
});

// -- errors ------------------------------------------------------------------------------------------------------

const ACTIONS = {
  "sign-in": { label: "Sign in again", run: () => signOut() },
  "set-up": { label: "Start over", run: () => setUp() },
  account: { label: "Show my account", run: () => home() },
};

/** The response belongs to a session that has ended in the meantime. */
class Outdated extends Error {}

/** Wait for a response, and drop it if the session has changed. */
async function ours(response) {
  const current = session;
  try {
    return await response;
  } finally {
    if (session !== current) {
      throw new Outdated();
    }
  }
}

/** Show an error with the button that helps; `retry` repeats a request, and is null for one with a code. */
function report(error, container, retry = null) {
  if (error instanceof Outdated) {
    return;
  }
  if (!(error instanceof MfaError)) {
    throw error; // a defect of this page, for the browser's console and the tests
  }
  if (error.code === "UNAUTHORIZED" && session !== null) {
    const { user } = session;
    signOut();
    byId("user").value = user;
    report(error, byId("sign-in-error"));
    return;
  }
  const { title, next, nextCode = next, action: name } = explain(error);
  const actions = { ...ACTIONS, retry: retry && { label: "Try again", run: retry } };
  // On the login page the form itself is the next step.
  const action = view !== "sign-in" && actions[name];
  const run = ({ currentTarget }) => {
    if (currentTarget.getAttribute("aria-disabled") !== "true") {
      container.replaceChildren();
      action.run();
    }
  };
  const problem = document.createDocumentFragment();
  render(
    html`
      <div class="notice" data-kind="bad">
        <p><strong>${title}</strong> ${retry ? next : nextCode}</p>
        ${error.requestId && html`<p><small>Request ID: <code>${error.requestId}</code></small></p>`}
        ${action && html`<p><button type="button" class="secondary outline" onClick=${run}>${action.label}</button></p>`}
      </div>
    `,
    problem,
  );
  container.replaceChildren(problem);
  if (action?.run === retry && error.retryAfter) {
    waitFor(container.querySelector("button"), action.label, error.retryAfter);
  }
}

function waitFor(button, label, seconds) {
  const timer = document.createElement("span");
  button.setAttribute("aria-disabled", "true");
  button.replaceChildren(`${label} in `, timer);
  countDown(performance.now() + seconds * 1000, timer, () => {
    button.removeAttribute("aria-disabled");
    button.textContent = label;
  });
}

// -- signing in --------------------------------------------------------------------------------------------------

async function signIn() {
  const problem = byId("sign-in-error");
  const user = byId("user").value.trim();
  problem.replaceChildren();
  byId("user").removeAttribute("aria-invalid");
  try {
    const [{ apiUrl, protectedApiUrl, issuer }, accessToken] = await Promise.all([readConfig(), newToken(user)]);
    const mfa = new MfaClient({ baseUrl: apiUrl, accessToken: () => accessToken, onResponse: showCall });
    const status = await mfa.status();
    // The API writes this name of the user into the QR code.
    const account = claimsOf(accessToken).username;
    session = { user, mfa, status, passed: !status.enabled, protectedApiUrl, issuer, account };
    tellUser();
  } catch (error) {
    if (error.code === "VALIDATION_ERROR") {
      problem.replaceChildren("Enter a name or an email address without spaces.");
      byId("user").setAttribute("aria-invalid", "true");
      byId("user").focus();
    } else {
      report(error, problem, signIn);
    }
    return;
  }
  for (const element of document.querySelectorAll(".user")) {
    element.textContent = user;
  }
  if (session.passed) {
    renderAccount();
    show("account");
  } else {
    readLock(session.status);
    show("second-step");
    forms["second-step"].focus();
  }
}

/** Return the addresses that the stack has, and show that of the API. */
async function readConfig() {
  const { content } = await request("/config.json");
  byId("api-url").textContent = content.apiUrl;
  return content;
}

/** The API page, in another tab, asks who is signed in here; the token stays in this tab. */
const channel = new BroadcastChannel("user");
channel.addEventListener("message", ({ data }) => data === "who?" && tellUser());

function tellUser() {
  channel.postMessage({ user: session?.user ?? null });
}

function signOut() {
  unsaved = null;
  session = null;
  calls = [];
  pauses.clear();
  showProof();
  byId("done").hidden = true;
  render(null, byId("account-status"));
  byId("account-problem").replaceChildren();
  byId("sign-in-error").replaceChildren();
  show("sign-in");
}

async function passSecondStep(code) {
  const { method, backupCodesRemaining, failedAttempts, lastFailedAttemptAt, ...proved } = await ours(
    session.mfa.verify(code),
  );
  session.passed = true;
  keepProof(proved);
  const remaining = `${backupCodesRemaining} of ${BACKUP_CODES} remain.`;
  const signedIn = method === "backup_code" ? `Signed in with a backup code. ${remaining}` : "Signed in.";
  await showAccount(failedAttempts ? `${signedIn} ${refusedBefore(failedAttempts, lastFailedAttemptAt)}` : signedIn);
}

/** Return what to tell a user about codes that were refused since the last sign-in. */
function refusedBefore(count, last) {
  const codes = count === 1 ? "1 code was" : `${count} codes were`;
  const time = formatTime(last, MEDIUM);
  return `Before that, ${codes} refused, last on ${time}. If that was not you, change your password.`;
}

/** Show the proof of an accepted code. */
function keepProof({ proof, proofExpiresAt }) {
  showProof(proof, proof && session.mfa.localTime(proofExpiresAt));
}

// -- the account -------------------------------------------------------------------------------------------------

/** Show the account with its current status. */
async function showAccount(done = null) {
  const problem = byId("account-problem");
  problem.replaceChildren();
  byId("done").hidden = done === null;
  byId("done").textContent = done;
  show("account");
  if (done !== null) {
    announce(done);
  }
  try {
    session.status = await ours(session.mfa.status());
  } catch (error) {
    render(null, byId("account-status"));
    report(error, problem, () => showAccount(done));
    return;
  }
  session.passed ||= !session.status.enabled;
  if (!session.passed) {
    show("second-step");
  } else if (view === "account") {
    renderAccount();
  }
}

function renderAccount() {
  readLock(session.status);
  const { enabled, ...status } = session.status;
  render(enabled ? html`<${On} ...${status} />` : html`<${Off} ...${status} />`, byId("account-status"));
  stopTimer();
  const timer = byId("account-timer");
  if (timer !== null) {
    stopTimer = countDown(pauseOf("totp").until, timer, renderAccount);
  }
}

function Off({ state, pendingExpiresAt }) {
  return html`
    <p><span class="badge">Off</span> This account is protected only by a password.</p>
    ${state === "PENDING" &&
    html`<p class="notice" id="is-pending">
      You did not finish the setup. The key cannot be shown again: start over, and remove the old entry from your
      authenticator app. This setup expires at <${Time} iso=${pendingExpiresAt} format=${{ timeStyle: "short" }} />.
    </p>`}
    <div class="actions"><button type="button" data-do="set-up">Turn on</button></div>
  `;
}

function On({ enabledAt, backupCodesRemaining }) {
  const low = backupCodesRemaining <= 2;
  const dots = Array.from({ length: BACKUP_CODES }, (_, index) => index < backupCodesRemaining);
  const pause = pauseOf("totp");
  return html`
    <table class="facts"><tbody>
      <tr>
        <th scope="row">Status</th>
        <td><span class="badge" data-kind="good">On</span> since <${Time} iso=${enabledAt} format=${MEDIUM} /></td>
      </tr>
      <tr>
        <th scope="row">Backup codes</th>
        <td>
          <span id="remaining">${backupCodesRemaining} of ${BACKUP_CODES} remain</span>${" "}
          <span class="dots" data-kind=${low ? "warn" : "good"} aria-hidden="true">
            ${dots.map((left) => html`<i class=${left ? "left" : ""}></i>`)}
          </span>
        </td>
      </tr>
    </tbody></table>
    ${low &&
    html`<p class="notice" data-kind="warn">
      <strong>You have few backup codes.</strong> Without one, a lost phone locks you out. Create new codes now.
    </p>`}
    ${pause &&
    html`<p class="notice" id="account-locked" data-kind="warn">
      Too many wrong codes.${" "}
      ${pause.until === Infinity
        ? "Contact support to unlock your authenticator app."
        : html`Try your authenticator app again in <strong id="account-timer" role="timer"></strong>`}
    </p>`}
    <div class="actions">
      <button type="button" class="secondary outline" data-do="new-codes">Create new backup codes</button>
      <button type="button" class="outline danger" data-do="turn-off">Turn off</button>
    </div>
  `;
}

function Time({ iso, format }) {
  return html`<time datetime=${iso}>${formatTime(iso, format)}</time>`;
}

/** Store the lock in the status. */
function readLock({ lockedUntil }) {
  if (lockedUntil !== null) {
    const until = lockedUntil === FOR_GOOD ? Infinity : session.mfa.localTime(lockedUntil);
    pauses.set("totp", { until, why: TOO_MANY });
  }
}

/** Read whether the last wrong code has locked the app's codes. The status does not say so of backup codes. */
async function readLockAgain() {
  try {
    readLock(await ours(session.mfa.status()));
  } catch (error) {
    if (!(error instanceof MfaError || error instanceof Outdated)) {
      throw error;
    }
    // The next attempt shows the lock.
  }
}

// -- turning it on -----------------------------------------------------------------------------------------------

async function setUp() {
  const problem = byId("account-problem");
  problem.replaceChildren();
  let enrolment;
  let status;
  try {
    enrolment = await ours(session.mfa.setup());
    status = await ours(session.mfa.status());
  } catch (error) {
    if (session !== null && view !== "account") {
      await showAccount();
      if (session === null) {
        return; // showAccount has shown why
      }
    }
    report(error, problem, setUp);
    return;
  }
  session.status = status;
  show("set-up", { push: view === "account" });
  session.secret = enrolment.secret;
  byId("secret").textContent = enrolment.secret.match(/.{1,4}/g).join(" ");
  byId("open-app").href = keyUri({ secret: enrolment.secret, issuer: session.issuer, account: session.account });
  const image = byId("qr-code");
  image.src = enrolment.qrCode;
  // Two image pixels per CSS pixel: modules stay whole, and sharp on a phone's display.
  await image.decode();
  if (session?.secret !== enrolment.secret) {
    return; // the user has left the view
  }
  image.width = image.naturalWidth / 2;
  byId("scan").hidden = false;
  byId("set-up-expired").hidden = true;
  byId("set-up-expiry").hidden = false;
  stopTimer = countDown(session.mfa.localTime(status.pendingExpiresAt), byId("set-up-timer"), () => {
    forgetSecret();
    byId("set-up-expired").hidden = false;
    byId("set-up-expiry").hidden = true;
    announce("This QR code has expired.");
  });
}

function forgetSecret() {
  if (session !== null) {
    session.secret = null;
    session.mfa.forgetEnrolment();
  }
  byId("secret").textContent = "";
  byId("open-app").removeAttribute("href");
  byId("qr-code").removeAttribute("src");
  byId("scan").hidden = true;
}

async function confirmSetUp({ code }) {
  const { backupCodes, ...proved } = await ours(session.mfa.verifySetup(code));
  session.passed = true;
  keepProof(proved);
  showCodes(backupCodes, "Two-step verification is on.");
}

// -- backup codes ------------------------------------------------------------------------------------------------

function showCodes(codes, done) {
  show("backup-codes");
  unsaved = { codes, done };
  render(codes.map((code) => html`<li>${code}</li>`), byId("codes"));
  byId("made-on").textContent = formatTime(Date.now(), { dateStyle: "long" });
  byId("saved").checked = false;
  byId("saved-error").replaceChildren();
}

function forgetCodes() {
  unsaved = null;
  render(null, byId("codes"));
}

async function makeNewCodes({ code }) {
  const { backupCodes } = await ours(session.mfa.newBackupCodes(code));
  showCodes(backupCodes, "You have new backup codes. The old ones no longer work.");
}

/** Copy a text, and show the result on the button for a moment. */
async function copy(button, text, what) {
  const label = (button.dataset.label ??= button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    announce(`${what} copied.`);
  } catch {
    button.textContent = "Not allowed";
    announce("The browser does not allow copying. Select the text and copy it.");
  }
  setTimeout(() => {
    button.textContent = label;
  }, 2000);
}

function download() {
  const { user } = session;
  const lines = [`Backup codes of ${user}, created on ${byId("made-on").textContent}.`, "Each works once.", ""];
  const url = URL.createObjectURL(new Blob([[...lines, ...unsaved.codes, ""].join("\n")], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "mfa-backup-codes.txt";
  link.click();
  URL.revokeObjectURL(url);
}

function confirmSaved() {
  if (!byId("saved").checked) {
    byId("saved-error").replaceChildren("Confirm that you saved your codes. They are shown only now.");
    byId("saved").focus();
    return;
  }
  const { done } = unsaved;
  unsaved = null;
  home(done);
}

// -- turning it off ----------------------------------------------------------------------------------------------

async function turnOff(code) {
  await ours(session.mfa.disable(code));
  showProof();
  pauses.clear();
  home("Two-step verification is off. Remove its entry from your authenticator app.");
}

// -- requests ----------------------------------------------------------------------------------------------------

/** The latest requests, the newest first, without secrets. */
let calls = [];
let counted = 0;

/** Members of bodies that the panel does not show. */
const SECRET = new Set(["code", "backupCode", "secret", "qrCode", "backupCodes", "proof"]);

/** Return a body as JSON with secrets replaced. */
function redacted(body) {
  return JSON.stringify(body, (name, value) => (SECRET.has(name) ? "•••" : value), 2);
}

/** Return the command that sends a request again, with places for the token and the code. */
function curl({ method, path, body }) {
  const data = body && JSON.stringify(body, (name, value) => (SECRET.has(name) ? name.toUpperCase() : value));
  return [
    `curl -s -X ${method} '${byId("api-url").textContent}${path}'`,
    `-H "Authorization: Bearer $TOKEN"`,
    ...(data ? [`-H 'Content-Type: application/json' -d '${data}'`] : []),
  ].join(" \\\n  ");
}

/** The part of the API's page on a route. */
const documentation = ({ method, path }) => `/docs/api#${method.toLowerCase()}-${path.replaceAll("/", "")}`;

/** List a request with its result. */
function showCall(call) {
  const { body, content, ...rest } = call;
  counted += 1;
  calls = [
    { ...rest, number: counted, command: curl(call), sent: body && redacted(body), received: content && redacted(content) },
    ...calls.slice(0, SHOWN_CALLS - 1),
  ];
  render(
    calls.map(
      ({ number, method, path, status, milliseconds, error, command, sent, received }) => html`
        <li key=${number}>
          <details>
            <summary>
              <code class="path">${method} ${path}</code>
              <span class="badge" data-kind=${error ? "bad" : "good"}>${status || "no response"}</span>
              <span class="took">${Math.round(milliseconds)} ms</span>
            </summary>
            ${sent && html`<p class="muted"><small>Request</small></p><pre>${sent}</pre>`}
            ${received && html`<p class="muted"><small>Response</small></p><pre>${received}</pre>`}
            ${path.startsWith(API_PATHS) && html`<p class="actions">
              <button type="button" class="link" aria-label="Copy as curl: ${method} ${path}"
                onClick=${(event) => copy(event.currentTarget, command, "Command")}>Copy as curl</button>
              <a href=${documentation({ method, path })} target="_blank" rel="noopener">Documentation<span
                class="visually-hidden"> of ${method} ${path} (new tab)</span></a>
            </p>`}
          </details>
          ${error && html`<p class="muted">${error.code}${error.requestId && `, request ID ${error.requestId}`}</p>`}
        </li>
      `,
    ),
    byId("calls"),
  );
  byId("no-calls").hidden = true;
}

// -- wiring ------------------------------------------------------------------------------------------------------

function codeForm(id, options) {
  return new CodeForm(byId(id), { onError: report, ...options });
}

const forms = {
  "second-step": codeForm("second-step", { submit: "Continue", either: true, onCode: passSecondStep, onWrongCode: readLockAgain }),
  "set-up": codeForm("set-up", { submit: "Turn on", onCode: confirmSetUp }),
  "new-codes": codeForm("new-codes", { submit: "Create new codes", onCode: makeNewCodes, onWrongCode: readLockAgain }),
  "turn-off": codeForm("turn-off", { submit: "Turn off", either: true, onCode: turnOff, danger: true, onWrongCode: readLockAgain }),
};

const COMMANDS = {
  "sign-out": () => signOut(),
  "set-up": () => setUp(),
  home: () => home(),
  pay: () => pay(session.protectedApiUrl, showCall),
  "new-codes": () => open("new-codes"),
  "turn-off": () => open("turn-off"),
  "copy-secret": (button) => copy(button, session.secret, "Key"),
  "copy-codes": (button) => copy(button, unsaved.codes.join("\n"), "Backup codes"),
  "download-codes": () => download(),
  "print-codes": () => window.print(),
};

function open(name) {
  show(name, { push: true });
  forms[name].focus();
}

/** Run an action unless it is running already: a second setup would invalidate the first. */
async function whileBusy(element, action) {
  if (element.getAttribute("aria-busy") !== "true") {
    element.setAttribute("aria-busy", "true");
    try {
      await action();
    } finally {
      element.removeAttribute("aria-busy");
    }
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button !== null) {
    whileBusy(button, () => COMMANDS[button.dataset.do](button));
  }
});

function onSubmit(id, action) {
  const form = byId(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(form, action);
  });
}

onSubmit("sign-in-form", signIn);
onSubmit("saved-form", confirmSaved);

show("sign-in", { focus: false });
readConfig().catch(() => {
  byId("api-url").textContent = "not available yet";
});
