// The client library with a fake API, by Node's own test runner.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { MfaClient } from "../../clients/mfa.js";

const SETUP = "/auth/mfa/setup";
const VERIFY_SETUP = "/auth/mfa/verify-setup";
const MINUTE = 60_000;

let answers; // per path: a function that returns [status, body]
let calls;
let date;
let token;
let client;

/** Time that has passed on the fake monotonic clock, and how wrong the device's clock is. */
let passed;
let clockError;

beforeEach(() => {
  let secrets = 0;
  answers = {
    [SETUP]: () => [200, { secret: numbered((secrets += 1)), qrCode: "data:" }],
    [VERIFY_SETUP]: () => [200, { enabled: true }],
    "/auth/mfa": () => [200, { pendingExpiresAt: null }],
  };
  calls = [];
  date = new Date("2026-01-15T10:00:00Z");
  token = "token of Ada";
  passed = 5000;
  clockError = 0;
  mock.method(performance, "now", () => passed);
  mock.method(Date, "now", () => date.getTime() + clockError);
  mock.method(globalThis, "fetch", async (url) => {
    const path = url.replace("https://api.example", "");
    calls.push(path);
    const [status, body, headers = {}] = answers[path]();
    const dated = date && { Date: date.toUTCString() };
    return new Response(JSON.stringify(body), { status, headers: { ...headers, ...dated } });
  });
  client = new MfaClient({ baseUrl: "https://api.example", accessToken: async () => token });
});

afterEach(() => mock.restoreAll());

const numbered = (number) => `secret ${number}`;
const setups = () => calls.filter((path) => path === SETUP).length;
const refusal = (code) => [400, { error: code, message: "", request_id: "1", timestamp: "" }];

test("setup is called once however often a component mounts", async () => {
  const [first, second] = await Promise.all([client.setup(), client.setup()]);
  const third = await client.setup();
  passed += 9 * MINUTE;
  assert.deepEqual([second, third, await client.setup()], [first, first, first]);
  assert.equal(setups(), 1);
});

test("a setup that failed is called again", async () => {
  const good = answers[SETUP];
  answers[SETUP] = () => refusal("SERVICE_UNAVAILABLE");
  const both = await Promise.allSettled([client.setup(), client.setup()]);
  assert.deepEqual(both.map((each) => each.reason.code), ["SERVICE_UNAVAILABLE", "SERVICE_UNAVAILABLE"]);
  assert.equal(setups(), 1);
  answers[SETUP] = good;
  assert.equal((await client.setup()).secret, "secret 1");
});

test("another user's setup is another one", async () => {
  await client.setup();
  token = "token of Bob";
  assert.equal((await client.setup()).secret, "secret 2");
});

test("an enrolment that has expired is replaced", async () => {
  await client.setup();
  passed += 10 * MINUTE + 1;
  assert.equal((await client.setup()).secret, "secret 2");
});

test("an enrolment that was forgotten is replaced", async () => {
  await client.setup();
  client.forgetEnrolment();
  assert.equal((await client.setup()).secret, "secret 2");
});

for (const [code, secret] of [
  [null, "secret 2"],
  ["MFA_SETUP_NOT_FOUND", "secret 2"],
  ["MFA_SETUP_EXPIRED", "secret 2"],
  ["MFA_ALREADY_ENABLED", "secret 2"],
  ["INVALID_CODE", "secret 1"],
  ["CONFLICT", "secret 1"],
  ["SERVICE_UNAVAILABLE", "secret 1"],
]) {
  test(`after verify-setup with ${code ?? "success"}, setup returns ${secret}`, async () => {
    await client.setup();
    if (code !== null) {
      answers[VERIFY_SETUP] = () => refusal(code);
    }
    await client.verifySetup("123456").catch((error) => assert.equal(error.code, code));
    assert.equal((await client.setup()).secret, secret);
  });
}

for (const minutes of [0, 11, -11, 60 * 24 * 400]) {
  test(`times are measured by the API's clock if the device's is ${minutes} minutes wrong`, async () => {
    clockError = minutes * MINUTE;
    await client.status();
    const left = client.localTime("2026-01-15T10:10:00Z") - performance.now();
    assert.equal(left, 10 * MINUTE);
    passed += 4 * MINUTE;
    assert.equal(client.localTime("2026-01-15T10:10:00Z") - performance.now(), 6 * MINUTE);
  });
}

test("without a Date header the device's clock is used", async () => {
  clockError = 2 * MINUTE;
  const left = () => client.localTime("2026-01-15T10:10:00Z") - performance.now();
  assert.equal(left(), 8 * MINUTE);
  mock.method(globalThis, "fetch", async () => new Response("{}"));
  await client.status();
  assert.equal(left(), 8 * MINUTE);
});

for (const name of ["with", "without"]) {
  test(`a request ends after 30 seconds in a browser ${name} AbortSignal.timeout`, async (context) => {
    if (name === "without") {
      const { timeout } = AbortSignal;
      delete AbortSignal.timeout;
      context.after(() => Object.assign(AbortSignal, { timeout }));
    }
    context.mock.timers.enable({ apis: ["setTimeout"] });
    mock.method(globalThis, "fetch", (_, { signal }) => {
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    const response = client.status();
    const ended = assert.rejects(response, { code: "TIMEOUT" });
    await new Promise(setImmediate);
    context.mock.timers.tick(29_999);
    const state = await Promise.race([response.then(String, String), new Promise((done) => setImmediate(done, "waits"))]);
    assert.equal(state, "waits");
    context.mock.timers.tick(1);
    await ended;
  });
}

test("a request that cannot be sent is no timeout", async () => {
  mock.method(globalThis, "fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  await assert.rejects(client.status(), { code: "NETWORK_ERROR" });
});

for (const [challenge, maxAge] of [
  ['Bearer error="insufficient_user_authentication", error_description="…", max_age="300"', 300],
  ["Bearer", null],
  ['Bearer error="insufficient_scope", max_age="300"', null],
  [null, null],
]) {
  test(`a 401 with ${challenge} asks for a login of at most ${maxAge} seconds`, async () => {
    const headers = challenge === null ? {} : { "WWW-Authenticate": challenge.replace("…", "x") };
    answers["/auth/mfa/disable"] = () => [401, { error: "UNAUTHORIZED" }, headers];
    await assert.rejects(client.disable({ code: "123456" }), { code: "UNAUTHORIZED", maxAge });
  });
}
