// Alarms: tiles on the dashboard, those in ALARM at the top, all of them at the end of the page.

import { html } from "/html.js";
import { breakable, Leave, moment } from "/operations-parts.js";

const STATES = {
  ALARM: { word: "ALARM", sign: "alarm", kind: "bad" },
  OK: { word: "OK", sign: "ok", kind: "good" },
  INSUFFICIENT_DATA: { word: "Insufficient data", sign: "unknown", kind: "warn" },
};

// How an alarm looks: a word, a sign that differs from the others without colour, and a kind of colour.
function appearance(alarm) {
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

function Sign({ name }) {
  return html`<svg viewBox="0 0 16 16" class="sign" aria-hidden="true"><path d=${SIGNS[name]} /></svg>`;
}

// The alarms in a state as a summary at the top, or all alarms of a group as tiles, which are open while one is in ALARM.
export function AlarmWidget({ widget, alarms }) {
  return widget.states.length > 0
    ? html`<${AlarmSummary} alarms=${[...alarms.values()]} />`
    : html`<${AlarmTiles} widget=${widget} alarms=${alarms} />`;
}

function AlarmTiles({ widget, alarms }) {
  const tiles = widget.alarms.map((name) => ({ key: alarms.get(name)?.key ?? name, ...appearance(alarms.get(name)) }));
  const words = [...new Map(tiles.map((each) => [each.word, each])).values()];
  const counted = (word) => tiles.filter((each) => each.word === word).length;
  return html`
    <details open=${tiles.some(({ kind }) => kind === "bad")}>
      <summary>
        <h3>${widget.title}</h3>
        <small class="tiles-key">
          ${words.map(({ word, sign, kind }) => html`<span data-kind=${kind}><${Sign} name=${sign} /> ${counted(word)} ${word}</span>`)}
        </small>
      </summary>
      <ul class="tiles">${tiles.map((each) => html`<li key=${each.key}><${Tile} ...${each} name=${each.key} /></li>`)}</ul>
    </details>
  `;
}

// Screen readers get a word in each tile; others see what the signs mean above the tiles.
function Tile({ name, word, sign, kind }) {
  return html`
    <a class="tile" href="#alarm-${name}" data-kind=${kind}>
      <${Sign} name=${sign} />
      <span class="tile-name">${breakable(name)}</span>
      <small class=${kind === "bad" ? "" : "visually-hidden"}>${word}</small>
    </a>
  `;
}

function Runbook({ alarm }) {
  return alarm.runbook && html`<${Leave} href=${alarm.runbook}>Runbook<span class="visually-hidden"> for ${alarm.key}</span><//>`;
}

const inState = (alarms, state) => alarms.filter((each) => !each.aws_only && each.state === state);

// The alarms that are in ALARM.
export const activeAlarms = (alarms) => inState(alarms, "ALARM");

function AlarmSummary({ alarms }) {
  const active = activeAlarms(alarms);
  const unsure = inState(alarms, "INSUFFICIENT_DATA").length;
  const awsOnly = alarms.filter((each) => each.aws_only).length;
  const rest = [
    `${inState(alarms, "OK").length} OK`,
    unsure > 0 && `${unsure} with insufficient data`,
    awsOnly > 0 && `${awsOnly} AWS only; not available locally`,
  ];
  return html`
    <div class="notice" id="summary" data-kind=${active.length ? "bad" : "good"}>
      <h2>${active.length || "No"} active ${active.length === 1 ? "alarm" : "alarms"}</h2>
      <ul id="alarms-on">
        ${active.map(
          (alarm) => html`
            <li key=${alarm.key}>
              <${Sign} name="alarm" /><a href="#alarm-${alarm.key}"><strong>${alarm.key}</strong></a>
              ${alarm.pages && html`<span class="badge" data-kind="bad">pages</span>`}
              <span> since ${moment(alarm.since)}. ${alarm.happened} </span><${Runbook} alarm=${alarm} />
            </li>
          `,
        )}
      </ul>
      <small>${rest.filter(Boolean).join(" · ")}</small>
    </div>
  `;
}

// What changed between two snapshots, for screen readers.
export function alarmChanges(before, now) {
  const [old, fresh] = [before, now].map((alarms) => activeAlarms(alarms).map((each) => each.key));
  const said = (verb, keys) => (keys.length ? `${verb}: ${keys.join(", ")}.` : "");
  return [
    said("Now in ALARM", fresh.filter((key) => !old.includes(key))),
    said("No longer in ALARM", old.filter((key) => !fresh.includes(key))),
  ]
    .filter(Boolean)
    .join(" ");
}

const GROUPS = [
  { title: "In ALARM", kind: "bad" },
  { title: "Insufficient data", kind: "warn" },
  { title: "OK", kind: "good" },
  { title: "AWS only; not available locally", kind: "idle" },
];

// All alarms, in groups that the user opens and closes. The browser opens a group for a link to an alarm in it.
export function AllAlarms({ alarms }) {
  return html`
    <section id="all-alarms" aria-labelledby="section-all-alarms" hidden=${alarms.length === 0}>
      <h2 id="section-all-alarms">All alarms</h2>
      <p class="muted">State, since when, the reason, and what to do: each has a section in the runbook.</p>
      ${GROUPS.map(({ title, kind }) => {
        const members = alarms.filter((each) => appearance(each).kind === kind);
        return html`
          <details open=${kind === "bad"} hidden=${members.length === 0}>
            <summary>${title} (${members.length})</summary>
            ${members.map((alarm) => html`<${Entry} key=${alarm.key} alarm=${alarm} />`)}
          </details>
        `;
      })}
    </section>
  `;
}

function Entry({ alarm }) {
  const { word, sign, kind } = appearance(alarm);
  return html`
    <article id="alarm-${alarm.key}" class="alarm" tabindex="-1">
      <header>
        <h3>${alarm.key}</h3>
        <span class="badge" data-kind=${kind}><${Sign} name=${sign} /> ${word}</span>
        ${alarm.pages && html`<span class="badge">pages</span>`}
        <small class="muted">${kind !== "idle" && `since ${moment(alarm.since)}`}</small>
        <${Runbook} alarm=${alarm} />
      </header>
      <p><span class="muted">In ALARM: </span>${alarm.happened} ${alarm.response}</p>
      <p class="muted"><code>${alarm.reason}</code></p>
    </article>
  `;
}
