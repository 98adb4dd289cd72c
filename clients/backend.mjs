/**
 * A sample backend: sessions on the server, which stay partial until this backend has verified the second factor.
 *
 *     MFA_API_URL=https://api.example.com/v1 node backend.mjs
 *
 * It needs only `mfa.js` and Node. `POST /login` stands for the end of your issuer's login: it takes the access token
 * that the issuer returned to your backend. `backend.py` is the same for Python.
 */

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { MfaClient, MfaError } from "./mfa.js";

// -- the guide shows this part --

/** Return the API as one user: `session.accessToken` is that user's token. */
function mfaOf(session) {
  return new MfaClient({ baseUrl: process.env.MFA_API_URL, accessToken: () => session.accessToken });
}

/** Call this after the issuer's login. An error creates no session. */
export async function afterFirstFactor(accessToken) {
  const session = { accessToken, signedIn: false };
  session.signedIn = (await mfaOf(session).status()).enabled === false;
  return session;
}

/** Call this with the code that the user entered, of either kind. Give the session a new id afterwards. */
export async function afterSecondFactor(session, typed) {
  const result = await mfaOf(session).verify(/\p{L}/u.test(typed) ? { backupCode: typed } : { code: typed });
  session.signedIn = result.verified === true;
  return result;
}

/** Call this with the first code of a new enrolment, and show the backup codes. Give the session a new id. */
export async function afterEnrolment(session, code) {
  const { enabled, backupCodes } = await mfaOf(session).verifySetup(code);
  session.signedIn = enabled === true;
  return backupCodes;
}

// -- the guide ends here --

/** In memory. A real backend uses a store that all its processes share, and ends old sessions. */
const sessions = new Map();
const MAX_BODY_BYTES = 8192;

class BadRequest extends Error {}

/** The routes: they return the status, the body, and the session that gets a new id. */
const ROUTES = {
  "GET /account": ({ session }) =>
    session?.signedIn ? [200, { account: "yours" }] : [401, { next: session ? "code" : "login" }],
  "POST /login": async ({ body }) => {
    const session = await afterFirstFactor(text(body.accessToken));
    return [200, { signedIn: session.signedIn }, session];
  },
  "POST /code": async ({ session, body }) => {
    if (!session) {
      return [401, { next: "login" }];
    }
    const { warnings = [] } = await afterSecondFactor(session, text(body.code));
    return [200, { signedIn: session.signedIn, warnings }, session];
  },
  "POST /enrolment": async ({ session, body }) => {
    if (!session) {
      return [401, { next: "login" }];
    }
    const backupCodes = await afterEnrolment(session, text(body.code));
    return [200, { signedIn: session.signedIn, backupCodes }, session];
  },
};

function text(value) {
  if (typeof value !== "string") {
    throw new BadRequest();
  }
  return value;
}

async function bodyOf(request) {
  // Another site's form cannot send this type, so it cannot act for the user.
  if (request.headers["content-type"]?.split(";")[0] !== "application/json") {
    throw new BadRequest();
  }
  let content = "";
  for await (const chunk of request.setEncoding("utf8")) {
    content += chunk;
    if (content.length > MAX_BODY_BYTES) {
      throw new BadRequest();
    }
  }
  try {
    return Object(JSON.parse(content));
  } catch {
    throw new BadRequest();
  }
}

async function respond(request) {
  const id = /(?:^|;\s*)session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
  const route = ROUTES[`${request.method} ${request.url}`];
  if (!route) {
    return [404, {}];
  }
  try {
    const body = request.method === "POST" ? await bodyOf(request) : {};
    const [status, content, renewed] = await route({ session: sessions.get(id), body });
    if (!renewed) {
      return [status, content];
    }
    // Under a new id, so that an id from before the login is worth nothing.
    const newId = randomBytes(32).toString("base64url");
    sessions.delete(id);
    sessions.set(newId, renewed);
    // A real backend adds "; Secure" and is reached by https only.
    return [status, content, `session=${newId}; HttpOnly; SameSite=Lax; Path=/`];
  } catch (error) {
    if (error instanceof MfaError) {
      // Not the API's status: a 401 of the API means that its token has expired, not this session.
      return [403, { error: error.code, retryAfter: error.retryAfter }];
    }
    return error instanceof BadRequest ? [400, { error: "VALIDATION_ERROR" }] : [500, {}];
  }
}

const server = createServer(async (request, response) => {
  const [status, content, cookie] = await respond(request);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    ...(cookie && { "Set-Cookie": cookie }),
  });
  response.end(JSON.stringify(content));
});
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`The sample backend is at http://127.0.0.1:${server.address().port}`);
});
