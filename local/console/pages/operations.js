// The operations view: asks the console's server for a snapshot every few seconds while the page is visible, and shows
// it. The snapshot is described in local/console/operations.py.

import { html, render } from "/html.js";
import { activeAlarms, AllAlarms, alarmChanges } from "/operations-alarms.js";
import { clock, sectionId } from "/operations-parts.js";
import { headings, Rows } from "/operations-widgets.js";

const REFRESH_MILLISECONDS = 5000;
const TIMEOUT_MILLISECONDS = 20000;

const ALL_ALARMS = "All alarms";
const main = document.getElementById("main");
const address = new URLSearchParams(location.search);
let timer;
let asked = 0;
let shown = {
  snapshot: null, // the latest one
  span: address.get("span") ?? "", // the time chosen
  find: address.get("find") ?? "", // what is searched for
  paused: false,
  trouble: "", // why there is no newer snapshot
  since: 0, // when the trouble began, epoch seconds
  changes: "", // of the alarms, for screen readers
};

function show(changes) {
  const before = shown.snapshot;
  shown = { ...shown, ...changes };
  const { snapshot, trouble } = shown;
  document.body.classList.toggle("stale", trouble !== "");
  if (before && snapshot !== before) {
    shown.changes = alarmChanges(before.alarms, snapshot.alarms) || shown.changes;
  }
  render(html`<${View} ...${shown} />`, main);
  if (snapshot) {
    const count = activeAlarms(snapshot.alarms).length;
    document.title = `${count ? `(${count}) ` : ""}Operations – MFA console`;
  }
  if (!before && snapshot && location.hash) {
    location.replace(location.href); // the alarm that the address leads to is here only now
  }
}

// Return the changes to what is shown.
async function ask(span, find) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const response = await fetch(`/operations/data.json?${new URLSearchParams({ span, find })}`, { signal });
    const content = await response.json();
    return response.ok
      ? { snapshot: content, span: content.span, trouble: "" }
      : { trouble: `${content.message}.` };
  } catch {
    return { trouble: "The local stack does not respond. Is it running? Start it with make run." };
  }
}

async function refresh() {
  clearTimeout(timer);
  const mine = (asked += 1);
  const changes = await ask(shown.span, shown.find);
  if (mine !== asked) {
    return; // another time was chosen in the meantime
  }
  schedule(REFRESH_MILLISECONDS);
  show({ ...changes, since: changes.trouble && !shown.trouble ? Date.now() / 1000 : shown.since });
}

function schedule(milliseconds) {
  clearTimeout(timer);
  if (!shown.paused && !document.hidden) {
    timer = setTimeout(refresh, milliseconds);
  }
}

function pause() {
  show({ paused: !shown.paused });
  schedule(0);
}

// Show another time or search, and write it into the address.
function choose(chosen) {
  show(chosen);
  Object.entries(chosen).forEach(([name, value]) => address.set(name, value));
  history.replaceState(null, "", `?${address}${location.hash}`);
  return refresh();
}

async function find(event) {
  event.preventDefault();
  await choose({ find: new FormData(event.target).get("find").trim() });
  document.getElementById(sectionId("Find"))?.scrollIntoView();
}

function View({ snapshot, span, find: searched, paused, trouble, since, changes }) {
  return html`
    <div class="bar">
      <h1>Operations</h1>
      <form role="search" onSubmit=${find}>
        <input type="search" name="find" aria-label="Request id, user id or user" placeholder="Request ID or user" maxlength="128" value=${searched} />
        <button type="submit" class="secondary outline">Find</button>
      </form>
      ${snapshot && html`<fieldset class="choice">
        <legend class="visually-hidden">Time shown</legend>
        ${Object.entries(snapshot.spans).map(
          ([key, label]) => html`
            <label>
              <input type="radio" name="span" value=${key} checked=${key === span} onChange=${() => choose({ span: key })} />${label}
            </label>
          `,
        )}
      </fieldset>`}
      <button type="button" class="secondary outline" aria-pressed=${paused} onClick=${pause}>Pause</button>
      <small class="muted" id="updated">${updated(snapshot, paused, trouble)}</small>
    </div>
    ${snapshot && html`<${Sections} snapshot=${snapshot} />`}
    <div role="alert">${trouble && html`<${Trouble} snapshot=${snapshot} reason=${trouble} since=${since} />`}</div>
    <p class="visually-hidden" id="changes" role="status">${changes}</p>
    <${Notices} snapshot=${snapshot} trouble=${trouble} searched=${searched} />
    <div id="grid">${snapshot && html`<${Rows} snapshot=${snapshot} />`}</div>
    ${snapshot && html`<${AllAlarms} alarms=${snapshot.alarms} />`}
    <small class="muted">${about(snapshot)}</small>
  `;
}

function Trouble({ snapshot, reason, since }) {
  const state = snapshot ? `The page shows the state at ${clock(snapshot.taken)}.` : "There is nothing to show yet.";
  return html`
    <p class="notice" data-kind="bad">
      <strong>${reason}</strong> Since ${clock(since)}. ${state} The page retries
      every ${REFRESH_MILLISECONDS / 1000} seconds.
    </p>
  `;
}

// Links to the sections, which stay at the top while the page scrolls.
function Sections({ snapshot }) {
  const titles = [...headings(snapshot.widgets), ...(snapshot.alarms.length > 0 ? [ALL_ALARMS] : [])];
  return html`
    <nav class="sections" aria-label="Sections">
      <ul>${titles.map((title) => html`<li><a href="#${sectionId(title)}">${title}</a></li>`)}</ul>
    </nav>
  `;
}

function Notices({ snapshot, trouble, searched }) {
  if (!snapshot) {
    return !trouble && html`<p class="notice">Reading metrics, alarms and logs…</p>`;
  }
  const missing = snapshot.dashboard ? [] : [`The environment ${snapshot.environment} has no dashboard.`];
  const problems = snapshot.problems.map((each) => `CloudWatch would refuse: ${each}`);
  const unsearchable = searched && !snapshot.found ? [`“${searched}” is not a request ID, a user ID or a user name.`] : [];
  return [...missing, ...problems, ...unsearchable].map((text) => html`<p class="notice" data-kind="bad">${text}</p>`);
}

function updated(snapshot, paused, trouble) {
  const time = snapshot && clock(snapshot.taken);
  if (paused) {
    return snapshot ? `Paused, as of ${time}` : "Paused";
  }
  if (trouble) {
    return snapshot ? `As of ${time}` : "Not loaded";
  }
  return snapshot ? `Updated ${time}` : "Loading…";
}

function about(snapshot) {
  if (!snapshot) {
    return "";
  }
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" }).formatToParts();
  const offset = parts.find((each) => each.type === "timeZoneName").value;
  const dashboard = snapshot.dashboard ? `The deployed dashboard ${snapshot.dashboard}` : "No dashboard is deployed";
  return `${dashboard}, with the metrics and logs of the local stack. Times are ${timeZone} (${offset}).`;
}

document.addEventListener("visibilitychange", () => schedule(0));

show({});
refresh();
