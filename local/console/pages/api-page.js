/**
 * The API page: the description of the deployed API in Swagger UI, with the token of the user who is signed in in
 * another tab, or of the demo user.
 */

import { byId, newToken } from "./page.js";

const DEMO = "demo@example.com";
const WAIT_MS = 300;

/** Return the user who is signed in in another tab; otherwise the demo user. */
function signedInUser() {
  return new Promise((done) => {
    const channel = new BroadcastChannel("user");
    channel.addEventListener("message", ({ data }) => data.user && done(data.user));
    channel.postMessage("who?");
    setTimeout(() => done(DEMO), WAIT_MS);
  });
}

/** The viewer shows the routes only: this page has the rest, and fills in the token. */
const routesOnly = ({ React }) => ({
  components: {
    Routes: ({ getComponent }) =>
      React.createElement(
        "div",
        { className: "swagger-ui" },
        ...["SvgAssets", "errors", "operations"].map((name) => React.createElement(getComponent(name, true))),
      ),
    authorizeOperationBtn: () => null,
  },
});

/** What the viewer's markup lacks: names of controls, a way to scroll by keyboard, and no landmarks without a name. */
const IMPROVEMENTS = {
  "textarea.body-param__text:not([aria-label])": { ariaLabel: "Request body" },
  ".examples-select-element:not([aria-label])": { ariaLabel: "Example" },
  "pre.microlight:not([tabindex])": { tabIndex: 0 },
  ".responses-table[role=region]": { role: "table" },
};

function improve() {
  for (const [elements, attributes] of Object.entries(IMPROVEMENTS)) {
    document.querySelectorAll(elements).forEach((each) => Object.assign(each, attributes));
  }
}

const who = byId("who");
const viewer = byId("viewer");
const dark = matchMedia("(prefers-color-scheme: dark)");

function followColours() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

dark.addEventListener("change", followColours);
followColours();
new MutationObserver(improve).observe(viewer, { childList: true, subtree: true });
try {
  const user = await signedInUser();
  const token = await newToken(user);
  const ui = window.SwaggerUIBundle({
    url: "/openapi.json",
    domNode: viewer,
    plugins: [routesOnly],
    layout: "Routes",
    syntaxHighlight: false,
    tryItOutEnabled: true,
    validatorUrl: null,
    onComplete: () => {
      ui.preauthorizeApiKey("accessToken", token);
      who.textContent = `Requests on this page act for ${user}. They change that user’s data on the local stack.`;
    },
  });
} catch (error) {
  who.textContent = `${error.message}. Is the local stack running? Reload this page.`;
}
