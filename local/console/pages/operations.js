// The operations view: asks the console's server for a snapshot every few seconds while the page is visible, and shows
// it. The snapshot is described in local/console/operations.py.

import { AlarmList, alarmChanges, alarmOn, alarmSummary } from "/operations-alarms.js";
import { clock, element } from "/operations-parts.js";
import { createWidget, signature } from "/operations-widgets.js";

const REFRESH_MILLISECONDS = 5000;
const TIMEOUT_MILLISECONDS = 20000;

const byId = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");

let span = "";
let paused = false;
let timer;
let asking;
let shown; // the latest snapshot
let trouble = ""; // the message shown about it
let drawn = ""; // signature of the widgets on the page
let widgets = [];
const list = new AlarmList(byId("alarm-groups"));

// The console's server responded, with the reason why it has nothing to show.
class Refused extends Error {}

async function refresh() {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const limit = setTimeout(() => mine.abort(new Error("no response in time")), TIMEOUT_MILLISECONDS);
  let snapshot;
  let failure;
  try {
    const response = await fetch(`/operations/data.json?span=${span}`, { signal: mine.signal });
    if (!response.ok) {
      throw new Refused((await response.json()).message);
    }
    snapshot = await response.json();
  } catch (error) {
    failure = error;
  }
  clearTimeout(limit);
  if (asking !== mine) {
    return;
  }
  asking = undefined;
  schedule();
  // Outside the block above, so that an error in drawing is not shown as a stack that does not respond.
  if (failure === undefined) {
    show(snapshot);
  } else {
    showTrouble(failure);
  }
}

function schedule() {
  clearTimeout(timer);
  if (!paused && !document.hidden) {
    timer = setTimeout(refresh, REFRESH_MILLISECONDS);
  }
}

function show(snapshot) {
  showChanges(shown?.alarms, snapshot.alarms);
  shown = snapshot;
  trouble = "";
  byId("trouble").replaceChildren();
  document.body.classList.remove("stale");
  showTime();
  showSpans(snapshot);

  const alarms = new Map(snapshot.alarms.map((each) => [each.name, each]));
  const wanted = `${snapshot.dashboard} ${snapshot.span} ${snapshot.widgets.map(signature).join("\n")}`;
  if (wanted !== drawn) {
    draw(snapshot, alarms);
    drawn = wanted;
  } else {
    snapshot.widgets.forEach((widget, index) => widgets[index].update(widget, alarms));
  }
  showSummary(snapshot);
  list.update(snapshot.alarms);
  byId("all-alarms").hidden = snapshot.alarms.length === 0;
}

// Creates every widget again: the first time, after a deployment, and when colours change.
function draw(snapshot, alarms) {
  widgets.forEach((widget) => widget.destroy?.());
  // In the order in which they are visible, for screen readers.
  const order = snapshot.widgets
    .map((widget, index) => ({ widget, index }))
    .sort((one, other) => one.widget.position.y - other.widget.position.y || one.widget.position.x - other.widget.position.x);
  widgets = [];
  const grid = byId("grid");
  grid.replaceChildren();
  for (const { widget, index } of order) {
    const made = createWidget(widget, alarms);
    widgets[index] = made;
    for (const [name, value] of Object.entries(widget.position)) {
      made.element.style.setProperty(`--${name}`, name === "x" || name === "y" ? value + 1 : value);
    }
    made.element.classList.toggle("wide", widget.position.width > 12);
    grid.append(made.element);
  }
  if (snapshot.dashboard === null) {
    grid.append(
      element("p", { className: "notice", data: { kind: "warn" } }, `There is no dashboard mfa-${snapshot.environment}.`),
    );
  }
  for (const problem of snapshot.problems) {
    grid.prepend(element("p", { className: "notice wide", data: { kind: "bad" } }, `CloudWatch would refuse: ${problem}`));
  }
  const about = snapshot.dashboard ? `The deployed dashboard ${snapshot.dashboard}` : "No dashboard is deployed";
  byId("about").textContent = `${about}, with the metrics and logs of the local stack. Times are ${zone()}.`;
}

function showSpans(snapshot) {
  const choice = byId("spans");
  if (choice.dataset.made === "yes") {
    return;
  }
  choice.dataset.made = "yes";
  for (const [key, label] of Object.entries(snapshot.spans)) {
    const input = element("input", { type: "radio", name: "span", value: key, checked: key === snapshot.span });
    input.addEventListener("change", () => {
      span = key;
      refresh();
    });
    choice.append(element("label", {}, input, element("span", {}, label)));
  }
  span = snapshot.span;
}

function showChanges(before, now) {
  const said = before && alarmChanges(alarmSummary(before).on, alarmSummary(now).on);
  if (said) {
    byId("changes").textContent = said;
  }
}

function showTime() {
  const time = shown ? clock(shown.taken) : "";
  if (paused) {
    byId("updated").textContent = shown ? `Paused, as of ${time}` : "Paused";
  } else if (trouble) {
    byId("updated").textContent = shown ? `As of ${time}` : "Not loaded";
  } else {
    byId("updated").textContent = shown ? `Updated ${time}` : "Loading…";
  }
}

function showSummary(snapshot) {
  const { title, kind, rest, on } = alarmSummary(snapshot.alarms);
  const section = byId("summary");
  section.hidden = snapshot.alarms.length === 0;
  section.dataset.kind = kind;
  const heading = byId("summary-title");
  if (heading.textContent !== title) {
    heading.textContent = title;
  }
  const items = byId("alarms-on");
  const now = JSON.stringify(on);
  if (items.dataset.shown !== now) {
    items.dataset.shown = now; // unchanged items stay, so that the focus stays too
    items.replaceChildren(...on.map(alarmOn));
  }
  byId("summary-rest").textContent = rest;
  document.title = kind === "bad" ? `(${on.length}) Operations – MFA console` : "Operations – MFA console";
}

function showTrouble(error) {
  const reason = error instanceof Refused ? `${error.message}.` : "The local stack does not respond. Is it running?";
  if (trouble === reason) {
    return; // shown already; screen readers would announce it again
  }
  trouble = reason;
  document.body.classList.add("stale");
  const state = shown ? `The page shows the state at ${clock(shown.taken)}.` : "There is nothing to show yet.";
  byId("trouble").replaceChildren(
    element(
      "p",
      { className: "notice", data: { kind: "bad" } },
      element("strong", {}, reason),
      ` Since ${clock(Date.now() / 1000)}. ${state} The page retries every ${REFRESH_MILLISECONDS / 1000} seconds; `,
      element("code", {}, "make run"),
      " starts it.",
    ),
  );
  if (!shown) {
    byId("grid").replaceChildren();
  }
  showTime();
}

function zone() {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offset = -new Date().getTimezoneOffset();
  const hours = `${offset < 0 ? "−" : "+"}${String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0")}`;
  const difference = offset === 0 ? "UTC" : `UTC${hours}:${String(Math.abs(offset) % 60).padStart(2, "0")}`;
  return name === difference ? name : `${name} (${difference})`;
}

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  showTime();
  if (paused) {
    clearTimeout(timer);
  } else {
    refresh();
  }
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(timer);
  } else if (!paused) {
    refresh();
  }
});
dark.addEventListener("change", () => {
  if (shown) {
    drawn = "";
    show(shown);
  }
});

refresh();
