// Draws the widgets of a snapshot; their kinds are in local/console/widgets.py.

import { AlarmTiles } from "/operations-alarms.js";
import { Graph, sparkline } from "/operations-graph.js";
import { duration, element, moment, seen, shortOrNone } from "/operations-parts.js";

// What a widget is drawn for: if this changes, the page is drawn again.
export function signature(widget) {
  const { kind, position, title, unit, stacked, blocks, query, groups } = widget;
  const labels = (widget.lines ?? []).map(({ label, colour, right }) => [label, colour, right]);
  const thresholds = (widget.thresholds ?? []).map(({ right }) => right);
  return JSON.stringify([kind, position, title, unit, stacked, blocks, query, groups, labels, thresholds]);
}

export function createWidget(widget, alarms) {
  switch (widget.kind) {
    case "text":
      return new Text(widget);
    case "graph":
      return new Graph(widget);
    case "numbers":
      return new Numbers(widget);
    case "alarms":
      return new AlarmTiles(widget, alarms);
    case "log":
      return new LogTable(widget);
    default:
      return new Unknown(widget);
  }
}

function card(title, caption, ...content) {
  return element(
    "article",
    { className: "card" },
    element("header", { className: "card-head" }, element("h3", {}, title), caption),
    ...content,
  );
}

class Text {
  constructor(widget) {
    this.element = element("section", { className: "text" }, ...widget.blocks.map(block));
  }

  update() {} // a changed text is drawn as a new widget
}

// The page's own heading is above those of the dashboard.
const TAGS = { h1: "h2", h2: "h2", h3: "h3" };

function block({ tag, spans }) {
  const made = element(TAGS[tag] ?? (tag === "pre" ? "pre" : "p"), {}, ...spans.map(inline));
  if (tag === "h1") {
    made.className = "dashboard-title";
  } else if (tag === "li") {
    made.className = "item";
  }
  return made;
}

function inline({ kind, text, href }) {
  switch (kind) {
    case "link":
      return element("a", { href }, text);
    case "code":
    case "strong":
    case "em":
      return element(kind, {}, text);
    default:
      return text;
  }
}

class Numbers {
  constructor(widget) {
    this.caption = element("span", { className: "card-caption muted" });
    this.parts = widget.lines.map((each) => ({
      value: element("dd", { className: "number-value" }),
      spark: element("dd", { className: "number-spark", aria: { hidden: "true" } }),
      colour: each.colour,
    }));
    const items = widget.lines.map((each, index) =>
      element(
        "div",
        { className: "number" },
        element("dt", { className: "muted" }, each.label),
        this.parts[index].value,
        this.parts[index].spark,
      ),
    );
    this.element = card(widget.title, this.caption, element("dl", { className: "numbers" }, ...items));
    this.update(widget);
  }

  update(widget) {
    this.caption.textContent = `last ${duration(widget.period)}`;
    widget.lines.forEach((line, index) => {
      const { value, spark, colour } = this.parts[index];
      const latest = widget.latest[index];
      value.textContent = shortOrNone(latest, line);
      value.classList.toggle("nothing", latest === null);
      value.style.color = latest === null ? "" : seen(colour);
      spark.replaceChildren(...(line.values.some((past) => past !== null) ? [sparkline(line.values, colour)] : []));
    });
  }
}

class LogTable {
  constructor(widget) {
    this.caption = element("span", { className: "card-caption muted" });
    this.rows = element("div", { className: "rows", tabIndex: 0, aria: { role: "region", label: widget.title } });
    const groups = widget.groups.map((each) => each.replace("/aws/lambda/", "")).join(", ");
    const query = element(
      "details",
      { className: "query" },
      element("summary", {}, "Query"),
      element("pre", {}, `${widget.query}`),
      element("p", { className: "muted small" }, `Log groups: ${groups}`),
    );
    this.element = card(widget.title, this.caption, this.rows, query);
    this.element.classList.add("log");
    this.update(widget);
  }

  update(widget) {
    const now = JSON.stringify([widget.columns, widget.rows]);
    if (now === this.shown) {
      return;
    }
    this.shown = now;
    this.caption.textContent = widget.rows.length === 1 ? "1 row" : `${widget.rows.length} rows`;
    if (widget.rows.length === 0) {
      this.rows.replaceChildren(element("p", { className: "no-data muted" }, "No rows"));
      return;
    }
    const head = widget.columns.map((name) => element("th", { scope: "col" }, name));
    const rows = widget.rows.map((row) => element("tr", {}, ...row.map((text, at) => cell(widget.columns[at], text))));
    this.rows.replaceChildren(
      element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
    );
  }
}

// Times are local, as in the graphs.
function cell(column, text) {
  const time = column === "@timestamp" && text;
  return element("td", {}, time ? element("time", { dateTime: text }, moment(Date.parse(text) / 1000)) : text);
}

class Unknown {
  constructor(widget) {
    this.reason = element("p", { className: "no-data muted" });
    this.element = card(widget.title || "Widget", element("span", { className: "badge" }, "not drawn"), this.reason);
    this.update(widget);
  }

  update(widget) {
    this.reason.textContent = widget.reason;
  }
}
