// Alarms: tiles on the dashboard, those in ALARM at the top, all of them at the end of the page.

import { breakable, drawing, element, moment } from "/operations-parts.js";

const STATES = {
  ALARM: { word: "ALARM", sign: "alarm", kind: "bad" },
  OK: { word: "OK", sign: "ok", kind: "good" },
  INSUFFICIENT_DATA: { word: "Insufficient data", sign: "unknown", kind: "warn" },
};

// How an alarm looks: a word, a sign that differs from the others without colour, and a kind of colour.
export function appearance(alarm) {
  if (alarm === undefined) {
    return { word: "Unknown", sign: "none", kind: "idle" };
  }
  return alarm.aws_only ? { word: "AWS only", sign: "none", kind: "idle" } : STATES[alarm.state];
}

const SIGNS = {
  alarm: "M8 1.2 15.4 14.4H.6zM8 6v4M8 11.6v1",
  ok: "M2.5 8.5 6.5 12.5 13.5 4",
  unknown: "M5.2 5.6a2.8 2.8 0 1 1 4.2 2.4C8.3 8.7 8 9.3 8 10.2M8 12v1",
  none: "M4 8h8",
};

export function sign(name) {
  const path = drawing("path", {
    d: SIGNS[name],
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.75,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
  return drawing("svg", { viewBox: "0 0 16 16", class: "sign", "aria-hidden": "true" }, path);
}

export class AlarmTiles {
  constructor(widget, alarms) {
    this.list = element("ul", { className: "tiles" });
    this.key = element("p", { className: "tiles-key muted", aria: { hidden: "true" } });
    this.element = element(
      "article",
      { className: "card" },
      element("header", { className: "card-head" }, element("h3", {}, widget.title)),
      this.list,
      this.key,
    );
    this.update(widget, alarms);
  }

  update(widget, alarms) {
    const tiles = widget.alarms.map((name) => ({ name, alarm: alarms.get(name) }));
    const now = JSON.stringify(tiles.map(({ name, alarm }) => [name, appearance(alarm).word]));
    if (now === this.shown) {
      return; // so that the focus stays where it is
    }
    this.shown = now;
    this.list.replaceChildren(...tiles.map(({ name, alarm }) => element("li", {}, tile(name, alarm))));
    this.key.replaceChildren(...keyOf(tiles.map(({ alarm }) => appearance(alarm))));
  }
}

// What the signs mean. Screen readers get a word in each tile instead.
function keyOf(appearances) {
  const words = new Map(appearances.map((each) => [each.word, each]));
  return [...words.values()].map(({ word, sign: drawn, kind }) =>
    element("span", { className: "tile-key", data: { kind } }, sign(drawn), word),
  );
}

function tile(name, alarm) {
  const { word, sign: drawn, kind } = appearance(alarm);
  return element(
    "a",
    { className: "tile", href: `#alarm-${alarm?.key ?? name}`, data: { kind } },
    sign(drawn),
    element("span", { className: "tile-name" }, ...breakable(alarm?.key ?? name)),
    element("span", { className: kind === "bad" ? "tile-word" : "visually-hidden" }, word),
  );
}

// The summary at the top of the page.
export function alarmSummary(alarms) {
  const inState = (state) => alarms.filter((each) => !each.aws_only && each.state === state);
  const on = inState("ALARM");
  const unsure = inState("INSUFFICIENT_DATA").length;
  const awsOnly = alarms.filter((each) => each.aws_only).length;
  return {
    kind: on.length ? "bad" : "good",
    title: on.length ? `${on.length} ${on.length === 1 ? "alarm" : "alarms"} in ALARM` : "No alarm in ALARM",
    on,
    rest: [
      `${inState("OK").length} OK`,
      unsure ? `${unsure} with insufficient data` : "",
      awsOnly ? `${awsOnly} AWS only; not available locally` : "",
    ]
      .filter(Boolean)
      .join(" · "),
  };
}

// An alarm in ALARM, in the summary.
export function alarmOn(alarm) {
  return element(
    "li",
    {},
    sign("alarm"),
    element("a", { href: `#alarm-${alarm.key}` }, element("strong", {}, alarm.key)),
    alarm.pages ? element("span", { className: "badge", data: { kind: "bad" } }, "pages") : "",
    element("span", {}, ` since ${moment(alarm.since)}. ${alarm.happened} `),
    alarm.runbook ? element("a", { href: alarm.runbook }, "Runbook", hidden(` for ${alarm.key}`)) : "",
  );
}

// What changed between two snapshots, for screen readers.
export function alarmChanges(before, now) {
  const names = (alarms) => alarms.map((each) => each.key);
  const [old, fresh] = [new Set(names(before)), new Set(names(now))];
  const said = (verb, keys) => (keys.length ? `${verb}: ${keys.join(", ")}.` : "");
  return [
    said("Now in ALARM", names(now).filter((key) => !old.has(key))),
    said("No longer in ALARM", names(before).filter((key) => !fresh.has(key))),
  ]
    .filter(Boolean)
    .join(" ");
}

const GROUPS = [
  { title: "In ALARM", kind: "bad", open: true },
  { title: "Insufficient data", kind: "warn" },
  { title: "OK", kind: "good" },
  { title: "AWS only; not available locally", kind: "idle" },
];

// All alarms, in groups that the user opens and closes.
export class AlarmList {
  constructor(place) {
    this.groups = GROUPS.map((group) => {
      const summary = element("summary", {});
      const list = element("ul", { className: "alarm-list" });
      const details = element("details", { open: Boolean(group.open) }, summary, list);
      place.append(details);
      return { ...group, summary, list, details };
    });
    // A link to an alarm opens its group.
    addEventListener("hashchange", () => this.#open());
  }

  update(alarms) {
    for (const { title, kind, summary, list, details } of this.groups) {
      const members = alarms.filter((each) => appearance(each).kind === kind);
      details.hidden = members.length === 0;
      const now = JSON.stringify(members);
      if (list.dataset.shown !== now) {
        list.dataset.shown = now;
        summary.textContent = `${title} (${members.length})`;
        list.replaceChildren(...members.map(entry));
      }
    }
    if (!this.led) {
      this.led = true;
      this.#open();
    }
  }

  #open() {
    const target = location.hash.startsWith("#alarm-") && document.getElementById(location.hash.slice(1));
    const details = target && target.closest("details");
    if (details) {
      details.open = true;
      target.scrollIntoView({ block: "center" });
      target.focus({ preventScroll: true });
    }
  }
}

function entry(alarm) {
  const { word, sign: drawn, kind } = appearance(alarm);
  const since = kind === "idle" ? "" : ` since ${moment(alarm.since)}`;
  return element(
    "li",
    { id: `alarm-${alarm.key}`, className: "alarm", tabIndex: -1 },
    element(
      "div",
      { className: "alarm-head" },
      element("h3", {}, alarm.key),
      element("span", { className: "badge alarm-badge", data: { kind } }, sign(drawn), word),
      alarm.pages ? element("span", { className: "badge" }, "pages") : "",
      element("span", { className: "muted small" }, since),
      alarm.runbook ? element("a", { className: "small", href: alarm.runbook }, "Runbook", hidden(` for ${alarm.key}`)) : "",
    ),
    element("p", {}, element("span", { className: "muted" }, "In ALARM: "), alarm.happened, " ", alarm.response),
    element("p", { className: "muted small mono" }, alarm.reason),
  );
}

const hidden = (text) => element("span", { className: "visually-hidden" }, text);
