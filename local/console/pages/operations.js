// The operations view: asks the console's server for a snapshot every few seconds while the page is visible, and shows
// it. The snapshot is described in local/console/operations.py.

import { html, render } from "/html.js";
import { AlarmSummary, AllAlarms, alarmChanges, summaryTitle } from "/operations-alarms.js";
import { clock, dark } from "/operations-parts.js";
import { signature, Widget } from "/operations-widgets.js";

const REFRESH_MILLISECONDS = 5000;
const TIMEOUT_MILLISECONDS = 20000;

const main = document.getElementById("main");
let timer;
let asked = 0;
let shown = {
  snapshot: null, // the latest one
  span: "", // the time chosen
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
    const count = /^\d+/.exec(summaryTitle(snapshot.alarms));
    document.title = `${count ? `(${count}) ` : ""}Operations – MFA console`;
  }
  if (!before && snapshot && location.hash) {
    location.replace(location.href); // the alarm that the address leads to is here only now
  }
}

// Return the changes to what is shown.
async function ask(span) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const response = await fetch(`/operations/data.json?span=${span}`, { signal });
    const content = await response.json();
    return response.ok
      ? { snapshot: content, span: content.span, trouble: "" }
      : { trouble: `${content.message}.` };
  } catch {
    return { trouble: "The local stack does not respond. Is it running?" };
  }
}

async function refresh() {
  clearTimeout(timer);
  const mine = (asked += 1);
  const changes = await ask(shown.span);
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

function choose(span) {
  show({ span });
  refresh();
}

function View({ snapshot, span, paused, trouble, since, changes }) {
  return html`
    <div class="bar">
      <div>
        <h1>Operations</h1>
        <p class="muted">${about(snapshot)}</p>
      </div>
      <fieldset class="choice">
        <legend class="visually-hidden">Time shown</legend>
        ${Object.entries(snapshot?.spans ?? {}).map(
          ([key, label]) => html`
            <label>
              <input type="radio" name="span" value=${key} checked=${key === span} onChange=${() => choose(key)} />${label}
            </label>
          `,
        )}
      </fieldset>
      <button type="button" class="secondary outline" aria-pressed=${paused} onClick=${pause}>Pause</button>
      <small class="muted" id="updated">${updated(snapshot, paused, trouble)}</small>
    </div>
    <div role="alert">${trouble && html`<${Trouble} snapshot=${snapshot} reason=${trouble} since=${since} />`}</div>
    <p class="visually-hidden" id="changes" role="status">${changes}</p>
    ${snapshot?.alarms.length > 0 && html`<${AlarmSummary} alarms=${snapshot.alarms} />`}
    <${Notices} snapshot=${snapshot} trouble=${trouble} />
    <div id="grid">${snapshot && widgets(snapshot)}</div>
    ${snapshot && html`<${AllAlarms} alarms=${snapshot.alarms} />`}
  `;
}

function Trouble({ snapshot, reason, since }) {
  const state = snapshot ? `The page shows the state at ${clock(snapshot.taken)}.` : "There is nothing to show yet.";
  return html`
    <p class="notice" data-kind="bad">
      <strong>${reason}</strong> Since ${clock(since)}. ${state} The page retries
      every ${REFRESH_MILLISECONDS / 1000} seconds; <code>make run</code> starts it.
    </p>
  `;
}

function Notices({ snapshot, trouble }) {
  if (!snapshot) {
    return !trouble && html`<p class="notice">Reading metrics, alarms and logs…</p>`;
  }
  const missing = snapshot.dashboard ? [] : [`The environment ${snapshot.environment} has no dashboard.`];
  const problems = snapshot.problems.map((each) => `CloudWatch would refuse: ${each}`);
  return [...missing, ...problems].map((text) => html`<p class="notice" data-kind="bad">${text}</p>`);
}

// In the order in which they are visible, for screen readers.
function widgets({ widgets, alarms, span }) {
  const byName = new Map(alarms.map((each) => [each.name, each]));
  return widgets
    .toSorted((one, other) => one.position.y - other.position.y || one.position.x - other.position.x)
    .map((widget) => html`<${Widget} key=${[dark.matches, span, signature(widget)]} widget=${widget} alarms=${byName} />`);
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
    return "The deployed dashboard, with the metrics and logs of the local stack.";
  }
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" }).formatToParts();
  const offset = parts.find((each) => each.type === "timeZoneName").value;
  const dashboard = snapshot.dashboard ? `The deployed dashboard ${snapshot.dashboard}` : "No dashboard is deployed";
  return `${dashboard}, with the metrics and logs of the local stack. Times are ${timeZone} (${offset}).`;
}

document.addEventListener("visibilitychange", () => schedule(0));
dark.addEventListener("change", () => show({}));

show({});
refresh();
