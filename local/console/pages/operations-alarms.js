// Alarms: tiles on the dashboard, those that are on at the top, all of them at the end of the page.

import { breakable, drawing, element, moment } from "/operations-parts.js";

// OK is worth less where not everything was looked at.
const OK = {
  EVALUATED: { word: "OK", sign: "ok", kind: "good" },
  NO_DATA: { word: "OK, no data", sign: "ok", kind: "faint" },
  PARTLY: { word: "OK, evaluated in part", sign: "ok", kind: "faint" },
};

// How an alarm looks: a word, a sign that is told from the others without colours, and a kind of colour.
export function appearance(alarm) {
  if (alarm === undefined) {
    return { word: "Unknown", sign: "none", kind: "idle" };
  }
  if (alarm.standing === "NOT_EVALUATED") {
    return { word: "Not evaluated here", sign: "none", kind: "idle" };
  }
  if (alarm.state === "ALARM") {
    return { word: "ALARM", sign: "alarm", kind: "bad" };
  }
  if (alarm.state === "OK") {
    return OK[alarm.standing];
  }
  return { word: "Insufficient data", sign: "unknown", kind: "warn" };
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
      return; // what has the focus keeps it
    }
    this.shown = now;
    this.list.replaceChildren(...tiles.map(({ name, alarm }) => element("li", {}, tile(name, alarm))));
    this.key.replaceChildren(...keyOf(tiles.map(({ alarm }) => appearance(alarm))));
  }
}

// What the signs mean, for the eye: each tile has its word for screen readers.
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

// What the top of the page says of them.
export function alarmSummary(alarms) {
  const evaluated = alarms.filter((each) => each.standing !== "NOT_EVALUATED");
  const on = evaluated.filter((each) => each.state === "ALARM");
  const idle = alarms.length - evaluated.length;
  const known = evaluated.filter((each) => each.state === "OK");
  const plain = known.filter((each) => each.standing === "EVALUATED").length;
  const unsure = evaluated.length - on.length - known.length;
  return {
    kind: on.length ? "bad" : "good",
    title: on.length ? `${count(on.length, "alarm")} on` : "No alarm is on",
    on,
    rest: [
      `${plain} OK`,
      known.length > plain ? `${known.length - plain} OK as far as can be told here` : "",
      unsure ? `${unsure} without enough data` : "",
      idle ? `${idle} not evaluated here: the embedded AWS can not compute with metrics for them; AWS does` : "",
    ]
      .filter(Boolean)
      .join(" · "),
  };
}

// An alarm that is on, in the summary.
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

// What has changed between two snapshots, in words for screen readers.
export function alarmChanges(before, now) {
  const names = (alarms) => alarms.map((each) => each.key);
  const [old, fresh] = [new Set(names(before)), new Set(names(now))];
  const said = (verb, keys) => (keys.length ? `${verb}: ${keys.join(", ")}.` : "");
  return [
    said("Now on", names(now).filter((key) => !old.has(key))),
    said("No longer on", names(before).filter((key) => !fresh.has(key))),
  ]
    .filter(Boolean)
    .join(" ");
}

const GROUPS = [
  { title: "On", holds: (each) => appearance(each).kind === "bad", open: true },
  { title: "Without enough data", holds: (each) => appearance(each).kind === "warn" },
  { title: "OK", holds: (each) => ["good", "faint"].includes(appearance(each).kind) },
  { title: "Not evaluated here", holds: (each) => appearance(each).kind === "idle" },
];

// All alarms, in groups that open and close; what somebody opened stays open.
export class AlarmList {
  constructor(place) {
    this.groups = GROUPS.map((group) => {
      const summary = element("summary", {});
      const list = element("ul", { className: "alarm-list" });
      const details = element("details", { open: Boolean(group.open) }, summary, list);
      place.append(details);
      return { ...group, summary, list, details };
    });
    // A link to an alarm opens the group that it is in.
    addEventListener("hashchange", () => this.#open());
  }

  update(alarms) {
    for (const { title, holds, summary, list, details } of this.groups) {
      const members = alarms.filter(holds);
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
    element("p", {}, element("span", { className: "muted" }, "When it is on: "), alarm.happened, " ", alarm.response),
    alarm.note ? element("p", { className: "small" }, alarm.note) : "",
    kind === "idle" ? "" : element("p", { className: "muted small mono" }, alarm.reason),
  );
}

const hidden = (text) => element("span", { className: "visually-hidden" }, text);

const count = (number, word) => `${number} ${word}${number === 1 ? " is" : "s are"}`;
