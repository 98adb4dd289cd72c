// Graphs of the dashboard, drawn by uPlot: lines or layers over time, thresholds, a legend with numbers.

import uPlot from "/vendor/uPlot.esm.js";
import { Component, html } from "/html.js";
import { breakable, Card, clock, clockMinutes, duration, seen, short, shortOrNone, Table } from "/operations-parts.js";

// Lines differ in more than their colour: each has its own dash.
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2, 2, 2, 2, 2], [1, 2], [10, 2, 4, 2], [1, 5]];
const TABLE_ROWS = 60;
const FONT = "11px system-ui, sans-serif";
const WHOLE_STEPS = Array.from({ length: 30 }, (_, index) => [1, 2, 5][index % 3] * 10 ** Math.floor(index / 3));
const dark = matchMedia("(prefers-color-scheme: dark)");

// A chart as large as its container. It is drawn again if `source` changes, of which its data are made.
class Plot extends Component {
  componentDidMount() {
    this.watcher = new ResizeObserver(this.#fit);
    this.watcher.observe(this.place);
    dark.addEventListener("change", this.#drawAgain);
  }

  shouldComponentUpdate({ source, data }) {
    if (source !== this.props.source) {
      this.chart?.setData(data);
    }
    return false;
  }

  componentWillUnmount() {
    this.watcher.disconnect();
    dark.removeEventListener("change", this.#drawAgain);
    this.chart?.destroy();
  }

  // In the colours of the other scheme, which the canvas does not follow by itself.
  #drawAgain = () => {
    this.chart?.destroy();
    this.chart = null;
    this.#fit();
  };

  #fit = () => {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (!width || !height) {
      return; // a table is shown instead
    }
    if (this.chart) {
      this.chart.setSize({ width, height });
    } else {
      const { options, data } = this.props;
      this.chart = new uPlot({ width, height, legend: { show: false }, ...options(this.place) }, data, this.place);
    }
  };

  render() {
    return html`<div class="plot" ref=${(place) => (this.place = place)}></div>`;
  }
}

// The value of a colour on a canvas, which knows no colour scheme.
function resolved(colour, place) {
  place.style.caretColor = colour;
  return getComputedStyle(place).caretColor;
}

// A line, whose values between two gaps are points.
function series(colour, options) {
  const points = { show: true, size: 5, fill: colour, width: 0, filter: (chart, index) => lonely(chart.data[index]) };
  return { stroke: colour, width: 1.75, points, ...options };
}

function lonely(values) {
  const around = (index) => [values[index - 1] ?? null, values[index + 1] ?? null];
  return values.flatMap((value, index) => (value !== null && around(index).every((each) => each === null) ? [index] : []));
}

// Earlier values of a number, without axes.
export function Sparkline({ values, colour }) {
  const options = (place) => ({
    cursor: { show: false },
    padding: [2, 2, 2, 2],
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, high || 1] } },
    axes: [{ show: false }, { show: false }],
    series: [{}, series(resolved(seen(colour), place), { width: 1.5 })],
  });
  return html`<${Plot} source=${values} data=${[[...values.keys()], values]} options=${options} />`;
}

export class Graph extends Component {
  state = { table: false, index: null };

  render({ widget, deployments }, { table, index }) {
    const { title, lines, thresholds, note } = widget;
    const times = (lines[0]?.values ?? []).map((_, at) => widget.start + at * widget.period);
    const span = duration(times.length * widget.period);
    // A threshold on sums over five minutes has no height in a graph of sums over seconds: it is written instead.
    const written = thresholds
      .filter((each) => each.period !== null)
      .map((each) => `${each.label || "threshold"} at ${short(each.value)} in ${duration(each.period)}`);
    const drawn = thresholds.filter((each) => each.period === null);
    const description = [
      `${widget.stacked ? "Layers" : "Lines"} over ${span}, one value per ${duration(widget.period)}.`,
      ...(note ? [`No values: ${note}.`] : []),
      "Numbers follow.",
      ...drawn.map((each) => `${each.label} at ${short(each.value)}.`),
      ...deployments.filter((at) => at >= widget.start).map((at) => `Deployed at ${clock(at)}.`),
    ];
    // Values at the cursor; without one, the total of counts or the latest measurement.
    const additive = lines.length > 0 && lines.every((each) => ["Sum", "SampleCount"].includes(each.statistic));
    const caption = index !== null ? clock(times[index]) : additive ? `total of ${span}` : "latest";
    const value = (line) => (index !== null ? line.values[index] : summed(line, additive)) ?? null;
    const button = html`
      <button type="button" class="secondary outline" aria-pressed=${table} aria-label="Table of ${title}"
        onClick=${() => this.setState({ table: !table })}>Table</button>
    `;
    const values = lines.map((each) => each.values);
    const data = [times, ...(widget.stacked ? layers(values) : values)];
    return html`
      <${Card} title=${title} caption=${caption} button=${button}>
        <small class="written">${written.join(" · ")}</small>
        <div class="graph" role="img" aria-label=${description.join(" ")} hidden=${table}>
          ${note && html`<p class="no-data">${note}</p>`}
          <${Plot} source=${widget} data=${data} options=${(place) => this.#options(drawn, place)} />
        </div>
        ${table && html`<${Values} widget=${widget} times=${times} />`}
        <ul class="legend">
          ${lines.map(
            (line, at) => html`
              <li>
                <${Swatch} ...${this.#look(line, at)} />
                <span class="legend-label">${breakable(line.label)}</span>
                <span class=${value(line) === null ? "legend-value muted" : "legend-value"}>${shortOrNone(value(line), line)}</span>
              </li>
            `,
          )}
        </ul>
      <//>
    `;
  }

  #look(line, at) {
    const { stacked } = this.props.widget;
    const colour = seen(line.colour);
    if (stacked) {
      return { colour, dash: [], fill: `color-mix(in srgb, ${colour} 55%, light-dark(white, black))` };
    }
    return { colour, dash: DASHES[at % DASHES.length] };
  }

  #options(thresholds, place) {
    const { widget } = this.props;
    const { color, borderColor } = getComputedStyle(place);
    const right = [...widget.lines, ...thresholds].some((each) => each.right);
    const axis = { stroke: color, font: FONT, ticks: { show: false } };
    const vertical = {
      ...axis,
      label: widget.unit,
      labelFont: FONT,
      labelSize: widget.unit ? 14 : 0,
      labelGap: 0,
      size: 42,
      gap: 4,
      grid: { stroke: borderColor, width: 1 },
      incrs: widget.unit === "count" ? WHOLE_STEPS : undefined,
      values: (_, splits) => splits.map(short),
    };
    const range = (right) => (_, low, high) => {
      const top = Math.max(0, high, ...thresholds.filter((each) => each.right === right).map((each) => each.value));
      return [Math.min(0, low), top * 1.12 || 1];
    };
    return {
      padding: [10, right ? 0 : 18, 0, 0], // half of the last time is beside the plot
      cursor: { sync: { key: "all graphs" }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
      scales: {
        x: { range: (_, low, high) => [low, Math.max(high, low + widget.period)] },
        y: { range: range(false) },
        right: { range: range(true) },
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
        { ...vertical, label: "", labelSize: 0, scale: "right", side: 1, show: right, grid: { show: false } },
      ],
      series: [
        {},
        ...widget.lines.map((line, at) => {
          const { colour, dash, fill } = this.#look(line, at);
          return series(resolved(colour, place), {
            scale: line.right ? "right" : "y",
            dash: dash.map((each) => each * devicePixelRatio),
            fill: fill && resolved(fill, place),
          });
        }),
      ],
      hooks: {
        draw: [
          (chart) => thresholds.forEach((each) => drawThreshold(chart, each, getComputedStyle(place).outlineColor)),
          (chart) => this.props.deployments.forEach((at) => drawDeployment(chart, at, getComputedStyle(place).color)),
        ],
        setCursor: [({ cursor: { idx = null } }) => idx !== this.state.index && this.setState({ index: idx })],
      },
    };
  }
}

function drawThreshold(chart, { value, label, right }, colour) {
  const { bbox } = chart;
  const y = Math.round(chart.valToPos(value, right ? "right" : "y", true));
  annotate(chart, colour, `M${bbox.left},${y}h${bbox.width}`, `${label} ${short(value)}`, bbox.left + bbox.width, y - 2 * devicePixelRatio);
}

function drawDeployment(chart, at, colour) {
  const { bbox, scales } = chart;
  if (at >= scales.x.min && at <= scales.x.max) {
    const x = Math.round(chart.valToPos(at, "x", true));
    annotate(chart, colour, `M${x},${bbox.top}v${bbox.height}`, "deployed", x - 3 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
  }
}

// Draw a dashed line, and text that ends at a point above the line or left of it.
function annotate({ ctx }, colour, path, text, x, y) {
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.stroke(new Path2D(path));
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(text, x, y);
  ctx.restore();
}

// How a line looks in the plot, beside its name.
function Swatch({ colour, dash, fill }) {
  const mark = fill
    ? html`<rect x="2" y="1" width="18" height="8" fill=${fill} stroke=${colour} />`
    : html`<path d="M1,5h20" stroke=${colour} stroke-width="2.5" stroke-dasharray=${dash.join(" ")} />`;
  return html`<svg viewBox="0 0 22 10" width="22" height="10" aria-hidden="true">${mark}</svg>`;
}

function Values({ widget, times }) {
  const { title, lines, note } = widget;
  const rows = times
    .map((time, index) => [time, ...lines.map((line) => line.values[index])])
    .filter(([, ...values]) => values.some((value) => value !== null && value !== 0))
    .reverse()
    .slice(0, TABLE_ROWS)
    .map(([time, ...values]) => [clock(time), ...values.map((value) => (value === null ? "–" : short(value)))]);
  const columns = ["time", ...lines.map((line) => line.label)];
  const empty = note || "All values are zero.";
  return html`<${Table} label="Values of ${title}" columns=${columns} rows=${rows} empty=${empty} headed />`;
}

// The number beside a line's name: its total, or its latest value.
function summed(line, total) {
  const values = line.values.filter((each) => each !== null);
  return total && values.length > 0 ? values.reduce((sum, each) => sum + each, 0) : values.at(-1);
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
