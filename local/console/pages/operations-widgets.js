// Draws the widgets of a snapshot; their kinds are in local/console/widgets.py.

import { h } from "/vendor/preact.mjs";
import { html } from "/html.js";
import { AlarmTiles } from "/operations-alarms.js";
import { Graph, Sparkline } from "/operations-graph.js";
import { Card, duration, moment, seen, shortOrNone, Table } from "/operations-parts.js";

const KINDS = { text: Text, graph: Graph, numbers: Numbers, alarms: AlarmTiles, log: LogTable };

// A widget in its place on the grid.
export function Widget({ widget, alarms }) {
  const { kind, position } = widget;
  const place = { "--x": position.x + 1, "--y": position.y + 1, "--width": position.width, "--height": position.height };
  const made = html`<${KINDS[kind] ?? Unknown} widget=${widget} alarms=${alarms} />`;
  return kind === "text"
    ? html`<section class="text" style=${place}>${made}</section>`
    : html`<article class=${position.width > 12 ? "wide" : ""} style=${place}>${made}</article>`;
}

// What a widget is drawn for: if this changes, it is drawn again and not updated.
export function signature(widget) {
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
  return h(TAGS[tag] ?? "p", { class: tag === "h1" ? "dashboard-title" : null }, spans.map(inline));
}

function inline({ kind, text, href }) {
  return kind === "text" ? text : h(kind === "link" ? "a" : kind, { href }, text);
}

function Numbers({ widget }) {
  return html`
    <${Card} title=${widget.title} caption="last ${duration(widget.period)}">
      <dl>
        ${widget.lines.map((line, index) => {
          const latest = widget.latest[index];
          const colour = latest === null ? null : seen(line.colour);
          return html`
            <div class="number">
              <dt class="muted">${line.label}</dt>
              <dd class=${latest === null ? "muted" : "number-value"} style=${{ color: colour }}>${shortOrNone(latest, line)}</dd>
              <dd aria-hidden="true"><${Sparkline} values=${line.values} colour=${line.colour} /></dd>
            </div>
          `;
        })}
      </dl>
    <//>
  `;
}

function LogTable({ widget }) {
  const { title, columns, rows, query, groups } = widget;
  // Times are local, as in the graphs.
  const shown = (text, at) =>
    columns[at] === "@timestamp" && text ? html`<time datetime=${text}>${moment(Date.parse(text) / 1000)}</time>` : text;
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
