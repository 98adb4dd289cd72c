// Draws the widgets of a snapshot; their kinds are in local/console/widgets.py.

import { h } from "/vendor/preact.mjs";
import { html } from "/html.js";
import { AlarmWidget } from "/operations-alarms.js";
import { Graph, Sparkline } from "/operations-graph.js";
import { Card, duration, Leave, moment, sectionId, seen, shortOrNone, Table } from "/operations-parts.js";

const KINDS = { text: Text, graph: Graph, numbers: Numbers, alarms: AlarmWidget, log: LogTable };

const AWS_ONLY = "AWS only; not available locally";

// The widgets in rows, as on the deployed dashboard. Those of metrics that only AWS publishes take one line in each
// section; the others of their row take their place.
export function Rows({ snapshot }) {
  const alarms = new Map(snapshot.alarms.map((each) => [each.name, each]));
  const place = (widget, columns) => html`
    <${Placed} key=${snapshot.span + signature(widget)} widget=${widget} columns=${columns} alarms=${alarms}
      deployments=${snapshot.deployments} />
  `;
  return sections(snapshot.widgets).map(
    ({ rows, missing }) => html`
      ${rows.map(({ key, widgets }) => {
        const columns = widgets.reduce((sum, { position }) => sum + position.width, 0);
        const figures = widgets.every(({ kind }) => kind === "numbers");
        return html`<div key=${key} class=${figures ? "row figures" : "row"}>${widgets.map((each) => place(each, columns))}</div>`;
      })}
      ${missing.length > 0 && html`<p class="muted aws-only">${AWS_ONLY}: ${missing.join(" · ")}</p>`}
    `,
  );
}

function sections(widgets) {
  const found = [];
  const byRow = Map.groupBy(widgets, ({ position }) => position.y);
  for (const [y, row] of [...byRow].toSorted(([one], [other]) => one - other)) {
    if (row[0].kind === "text" || found.length === 0) {
      found.push({ rows: [], missing: [] });
    }
    const { rows, missing } = found.at(-1);
    const [absent, present] = [true, false].map((only) => row.filter(({ note }) => (note === AWS_ONLY) === only));
    missing.push(...absent.map(({ title }) => title));
    if (present.length > 0) {
      rows.push({ key: y, widgets: present.toSorted((one, other) => one.position.x - other.position.x) });
    }
  }
  return found;
}

// The titles of the sections.
export const headings = (widgets) =>
  widgets.flatMap(({ blocks = [] }) => blocks.filter(({ tag }) => tag === "h2").map(({ spans }) => spans[0].text));

// A widget with its share of the row, of 24 columns.
function Placed({ widget, columns, alarms, deployments }) {
  const { kind, position } = widget;
  const place = { "--width": Math.round((24 * position.width) / columns) };
  const made = html`<${KINDS[kind] ?? Unknown} widget=${widget} alarms=${alarms} deployments=${deployments} />`;
  if (kind === "text" || (kind === "alarms" && widget.states.length > 0)) {
    return html`<section class="card-${kind}" style=${place}>${made}</section>`;
  }
  return html`<article class="card-${kind} ${position.width > 12 ? "wide" : ""}" style=${place}>${made}</article>`;
}

// What a widget is drawn for: if this changes, it is drawn again and not updated.
function signature(widget) {
  const { kind, position, title, unit, stacked } = widget;
  const labels = (widget.lines ?? []).map(({ label, colour, right }) => [label, colour, right]);
  return JSON.stringify([kind, position, title, unit, stacked, labels, widget.thresholds]);
}

function Text({ widget }) {
  return widget.blocks.map(block);
}

// The page's own heading is above those of the dashboard.
const TAGS = { h1: "h2", h2: "h2", h3: "h3", pre: "pre" };

function block({ tag, spans }) {
  const id = tag === "h2" ? sectionId(spans[0].text) : null;
  return h(TAGS[tag] ?? "p", { id, class: tag === "h1" ? "dashboard-title" : null }, spans.map(inline));
}

function inline({ kind, text, href }) {
  if (kind === "link") {
    return html`<${Leave} href=${href}>${text}<//>`;
  }
  return kind === "text" ? text : h(kind, {}, text);
}

// Key figures. That of a gauge has the colour and the word of the side of the target that it is on.
function Numbers({ widget }) {
  const { title, unit, lines, latest, thresholds, period } = widget;
  return html`
    <${Card} title=${title}>
      ${lines.map((line, index) => {
        const value = latest[index];
        const side = value === null ? undefined : thresholds.find((each) => onSide(each, value));
        return html`
          <p class="number">
            <span class=${value === null ? "muted" : "number-value"} style=${{ color: side && seen(side.colour) }}>
              ${shortOrNone(value, line)}${value !== null && unit && html` <small>${unit}</small>`}
            </span>
            <span class="visually-hidden">in the last ${duration(period)}</span>
            <span aria-hidden="true"><${Sparkline} values=${line.values} colour=${side?.colour ?? line.colour} /></span>
          </p>
          <small class="muted">${line.label}${side && html` · <strong>${side.label}</strong>`}</small>
        `;
      })}
    <//>
  `;
}

const onSide = ({ fill, value: target }, value) => (fill === "above" ? value >= target : fill === "below" && value < target);

function LogTable({ widget }) {
  const { title, columns, rows, query, groups } = widget;
  // Times are local, as in the graphs.
  const shown = (text, at) =>
    columns[at] === "time" && text ? html`<time datetime=${text}>${moment(Date.parse(text) / 1000)}</time>` : text;
  return html`
    <${Card} title=${title} caption=${rows.length === 1 ? "1 row" : `${rows.length} rows`}>
      <${Table} label=${title} columns=${columns} rows=${rows.map((row) => row.map(shown))} empty="No rows" />
      <details class="query">
        <summary>Query</summary>
        <pre>${query}</pre>
        <small class="muted">Log groups: ${groups.map((each) => each.replace("/aws/lambda/", "")).join(", ")}</small>
      </details>
    <//>
  `;
}

function Unknown({ widget }) {
  return html`
    <${Card} title=${widget.title || "Widget"} caption=${html`<span class="badge">not drawn</span>`}>
      <p class="no-data">${widget.reason}</p>
    <//>
  `;
}
