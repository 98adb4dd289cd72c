// A graph of the dashboard, drawn by uPlot: lines or layers over time, thresholds, a legend with numbers.

import uPlot from "/vendor/uPlot.esm.js";
import {
  breakable,
  clock,
  clockMinutes,
  cssColour,
  drawing,
  duration,
  element,
  mixed,
  seen,
  short,
  shortOrNone,
} from "/operations-parts.js";

// Lines differ in more than their colour: each has its own dash.
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2, 2, 2, 2, 2], [1, 2], [10, 2, 4, 2]];
const TABLE_ROWS = 60;
const AXIS_FONT = "11px system-ui, sans-serif";

// All graphs show the same cursor.
const together = uPlot.sync("dashboard");

export class Graph {
  constructor(widget) {
    this.lines = widget.lines.map((line, index) => ({
      colour: seen(line.colour),
      dash: widget.stacked ? [] : DASHES[index % DASHES.length],
    }));
    this.values = widget.lines.map(() => element("span", { className: "legend-value" }));
    this.caption = element("span", { className: "card-caption muted" });
    this.written = element("p", { className: "thresholds-written" });
    this.note = element("p", { className: "no-data muted" });
    this.plot = element("div", { className: "plot" }, this.note);
    this.table = element("div", { className: "values", hidden: true, tabIndex: 0, aria: { role: "region" } });
    this.legend = this.#legend(widget);
    this.toggle = element(
      "button",
      { type: "button", className: "small-button", aria: { pressed: "false", label: `Table of ${widget.title}` } },
      "Table",
    );
    this.toggle.addEventListener("click", () => this.#showTable(this.table.hidden));
    this.title = element("h3", {}, widget.title);
    this.table.setAttribute("aria-label", `Values of ${widget.title}`);
    this.element = element(
      "article",
      { className: "card graph" },
      element("header", { className: "card-head" }, this.title, this.caption, this.toggle),
      this.written,
      this.plot,
      this.table,
      this.legend,
    );
    this.chart = null;
    this.update(widget);
    this.watcher = new ResizeObserver(() => this.#fit());
    this.watcher.observe(this.plot);
  }

  update(widget) {
    this.widget = widget;
    this.times = Array.from({ length: widget.lines[0]?.values.length ?? 0 }, (_, i) => widget.start + i * widget.period);
    this.note.textContent = widget.note;
    this.note.hidden = !widget.note;
    this.#writeThresholds();
    this.#showLegend(null);
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", this.#description());
    if (!this.table.hidden) {
      this.#fillTable();
    }
    if (this.chart) {
      this.chart.setData(this.#data());
    } else {
      this.#fit();
    }
  }

  destroy() {
    this.watcher.disconnect();
    this.chart?.destroy();
  }

  // -- the plot ------------------------------------------------------------------------------------------------

  #data() {
    const values = this.widget.lines.map((line) => line.values);
    return [this.times, ...(this.widget.stacked ? layers(values) : values)];
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (!width || !height) {
      return; // not laid out yet, or a table is shown instead
    }
    if (this.chart) {
      this.chart.setSize({ width, height });
    } else {
      this.chart = new uPlot(this.#options(width, height), this.#data(), this.plot);
    }
  }

  #options(width, height) {
    const [muted, line, surface] = ["muted", "line", "surface"].map(cssColour);
    const { widget } = this;
    const right = widget.lines.some((each) => each.right) || widget.thresholds.some((each) => each.right);
    const axis = { stroke: muted, font: AXIS_FONT, ticks: { show: false } };
    const vertical = {
      ...axis,
      size: 42,
      gap: 4,
      grid: { stroke: line, width: 1 },
      splits: (chart, index, low, high) => ticks(high, widget.unit === "count"),
      values: (_, splits) => splits.map(short),
    };
    return {
      width,
      height,
      padding: [10, right ? 0 : 18, 0, 0], // half of the last time is beside the plot
      legend: { show: false },
      cursor: { sync: { key: together.key }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
      scales: {
        x: { time: true, range: () => this.#timeShown() },
        y: { range: () => this.#range(false) },
        right: { range: () => this.#range(true) },
      },
      axes: [
        {
          ...axis,
          size: 26,
          gap: 7,
          space: 64,
          grid: { show: false },
          values: (_, splits) => splits.map(splits.some((each) => each % 60) ? clock : clockMinutes),
        },
        vertical,
        { ...vertical, scale: "right", side: 1, show: right, grid: { show: false } },
      ],
      series: [{}, ...widget.lines.map((each, index) => this.#series(each, index, surface))],
      hooks: {
        draw: [(chart) => this.#drawThresholds(chart)],
        setCursor: [(chart) => this.#showLegend(chart.cursor.idx ?? null)],
      },
    };
  }

  #series(line, index, surface) {
    const { colour, dash } = this.lines[index];
    return {
      label: line.label,
      scale: line.right ? "right" : "y",
      stroke: colour,
      width: 1.75,
      dash: dash.map((each) => each * devicePixelRatio),
      fill: this.widget.stacked ? mixed(colour, surface, 0.55) : undefined,
      // A value between two gaps has no line, only a point.
      points: { show: true, size: 5, fill: colour, width: 0, filter: (chart, series) => lonely(chart.data[series]) },
    };
  }

  #timeShown() {
    const last = this.times.at(-1) ?? this.widget.start;
    return [this.widget.start, Math.max(last, this.widget.start + this.widget.period)];
  }

  #range(right) {
    const { lines, stacked, thresholds } = this.widget;
    const of = lines.filter((each) => each.right === right).map((each) => each.values);
    const values = (stacked ? layers(of) : of).flat().filter((each) => each !== null);
    const drawn = thresholds.filter((each) => each.right === right && each.period === null).map((each) => each.value);
    const top = Math.max(0, ...values, ...drawn);
    const low = Math.min(0, ...values);
    return [low, top > 0 ? top * 1.12 : 1];
  }

  #drawThresholds(chart) {
    const { ctx, bbox } = chart;
    const colour = cssColour("bad");
    ctx.save();
    for (const each of this.widget.thresholds.filter((threshold) => threshold.period === null)) {
      const y = Math.round(chart.valToPos(each.value, each.right ? "right" : "y", true));
      ctx.strokeStyle = colour;
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillStyle = colour;
      ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      ctx.textAlign = "right";
      ctx.textBaseline = "bottom";
      ctx.fillText(`${each.label} ${short(each.value)}`, bbox.left + bbox.width, y - 2 * devicePixelRatio);
    }
    ctx.restore();
  }

  // A threshold on sums over five minutes has no height in a graph of sums over seconds: it is written instead.
  #writeThresholds() {
    const texts = this.widget.thresholds
      .filter((each) => each.period !== null)
      .map((each) => `${each.label || "threshold"} at ${short(each.value)} in ${duration(each.period)}`);
    this.written.textContent = texts.join(" · ");
  }

  // -- in words ------------------------------------------------------------------------------------------------

  #legend(widget) {
    const items = widget.lines.map((line, index) => {
      const { colour, dash } = this.lines[index];
      const swatch = drawing("svg", { viewBox: "0 0 22 10", width: 22, height: 10, "aria-hidden": "true" });
      if (widget.stacked) {
        const fill = mixed(colour, cssColour("surface"), 0.55);
        swatch.append(drawing("rect", { x: 2, y: 1, width: 18, height: 8, fill, stroke: colour }));
      } else {
        const line = { x1: 1, x2: 21, y1: 5, y2: 5, stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash.join(" ") };
        swatch.append(drawing("line", line));
      }
      return element("li", {}, swatch, element("span", { className: "legend-label" }, ...breakable(line.label)), this.values[index]);
    });
    return element("ul", { className: "legend" }, ...items);
  }

  // Values at the cursor; without one, the total of counts or the latest measurement.
  #showLegend(index) {
    const { times } = this;
    const { lines } = this.widget;
    const additive = lines.length > 0 && lines.every((each) => ["Sum", "SampleCount"].includes(each.statistic));
    const span = duration(times.length * this.widget.period);
    if (index === null) {
      this.caption.textContent = additive ? `total of ${span}` : "latest";
    } else {
      this.caption.textContent = clock(times[index]);
    }
    lines.forEach((line, at) => {
      const value = index === null ? summed(line, additive) : line.values[index];
      this.values[at].textContent = shortOrNone(value, line);
      this.values[at].classList.toggle("muted", value === null);
    });
  }

  #description() {
    const { widget } = this;
    const kind = widget.stacked ? "Layers" : "Lines";
    const span = duration(this.times.length * widget.period);
    const nothing = widget.note ? `No values: ${widget.note}. ` : "";
    const drawn = widget.thresholds.filter((each) => each.period === null);
    const thresholds = drawn.map((each) => ` ${each.label} at ${short(each.value)}.`).join("");
    return `${kind} over ${span}, one value per ${duration(widget.period)}. ${nothing}Numbers follow.${thresholds}`;
  }

  #showTable(yes) {
    this.toggle.setAttribute("aria-pressed", String(yes));
    this.table.hidden = !yes;
    this.plot.hidden = yes;
    if (yes) {
      this.#fillTable();
    } else {
      this.#fit();
    }
  }

  #fillTable() {
    const { lines } = this.widget;
    const rows = this.times
      .map((time, index) => [time, lines.map((line) => line.values[index])])
      .filter(([, values]) => values.some((value) => value !== null && value !== 0))
      .reverse()
      .slice(0, TABLE_ROWS);
    if (rows.length === 0) {
      this.table.replaceChildren(element("p", { className: "muted" }, this.widget.note || "All values are zero."));
      return;
    }
    const head = ["time", ...lines.map((line) => line.label)].map((text) => element("th", { scope: "col" }, text));
    this.table.replaceChildren(
      element(
        "table",
        {},
        element("thead", {}, element("tr", {}, ...head)),
        element(
          "tbody",
          {},
          ...rows.map(([time, values]) =>
            element(
              "tr",
              {},
              element("th", { scope: "row" }, clock(time)),
              ...values.map((value) => element("td", {}, value === null ? "–" : short(value))),
            ),
          ),
        ),
      ),
    );
  }
}

// The number beside a line's name: its total, or its latest value.
function summed(line, total) {
  const values = line.values.filter((each) => each !== null);
  if (values.length === 0) {
    return null;
  }
  return total ? values.reduce((sum, each) => sum + each, 0) : values.at(-1);
}

// Stacks lines. The first is the highest, so that it is drawn behind the others.
function layers(lines) {
  const stacked = [];
  let below = lines.at(-1)?.map(() => null) ?? [];
  for (const line of lines.toReversed()) {
    below = line.map((value, index) => (value === null ? below[index] : value + (below[index] ?? 0)));
    stacked.unshift(below);
  }
  return stacked;
}

function lonely(values) {
  const alone = [];
  values.forEach((value, index) => {
    if (value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null) {
      alone.push(index);
    }
  });
  return alone;
}

// Up to four round steps; whole numbers for counts.
function ticks(high, counts) {
  const rough = high / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  if (counts) {
    step = Math.max(1, Math.ceil(step));
  }
  const found = [];
  for (let value = 0; value <= high; value += step) {
    found.push(value);
  }
  return found;
}

// A small line without axes: earlier values of a number.
export function sparkline(values, colour) {
  const [width, height] = [96, 28];
  const top = Math.max(...values.map((each) => each ?? 0)) || 1;
  const at = (value, index) => `${((index / Math.max(1, values.length - 1)) * width).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`;
  const paths = [];
  let path = [];
  values.forEach((value, index) => {
    if (value === null) {
      paths.push(path);
      path = [];
    } else {
      path.push(at(value, index));
    }
  });
  paths.push(path);
  const lines = paths
    .filter((each) => each.length)
    .map((each) => (each.length === 1 ? `M${each[0]}h0.1` : `M${each.join("L")}`));
  return drawing(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "spark", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("path", {
      d: lines.join(""),
      fill: "none",
      stroke: seen(colour),
      "stroke-width": 1.5,
      "stroke-linecap": "round",
      "vector-effect": "non-scaling-stroke",
    }),
  );
}
