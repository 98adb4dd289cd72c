/**
 * The API page: the description of the deployed API in Swagger UI, with the token of the user who is signed in in
 * another tab, or of the demo user.
 */

import { request } from "./mfa.js";

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

async function tokenOf(user) {
  const { content } = await request("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user }),
  });
  return content.accessToken;
}

const who = document.getElementById("who");
try {
  const user = await signedInUser();
  const token = await tokenOf(user);
  window.viewer = window.SwaggerUIBundle({
    url: "/openapi.json",
    domNode: document.getElementById("viewer"),
    deepLinking: true,
    docExpansion: "list",
    tryItOutEnabled: true,
    validatorUrl: null,
    onComplete: () => {
      window.viewer.preauthorizeApiKey("accessToken", token);
      who.textContent = `Requests on this page act for ${user}. They really happen, on the local stack.`;
    },
  });
} catch (error) {
  who.textContent = `${error.message}. Is the local stack running? Reload this page.`;
}
