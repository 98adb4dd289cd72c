// Helpers of the operations view: numbers, times, names, tables.

import { html } from "/html.js";

const plain = new Intl.NumberFormat("en", {
  maximumSignificantDigits: 3,
  maximumFractionDigits: 0,
  roundingPriority: "morePrecision",
});
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

// A number short enough for an axis: 0.5, 12.3, 1,234, 56K, 7.8M.
export const short = (value) => (Math.abs(value) < 1e4 ? plain : compact).format(value);

// A value of a line, or why there is none.
export function shortOrNone(value, { aws_only: awsOnly }) {
  return value === null ? (awsOnly ? "AWS only" : "no data") : short(value);
}

// A name that may break between its words: MFASetup|Attempts, verify-|mfa.
export function breakable(name) {
  return name.split(/(?<=[a-z])(?=[A-Z])|(?<=[-_/])/).flatMap((word, index) => (index ? [html`<wbr />`, word] : word));
}

const format = (options) => new Intl.DateTimeFormat("en", { hourCycle: "h23", ...options });
const minutes = format({ timeStyle: "short" });
const seconds = format({ timeStyle: "medium" });
const dayAndMinutes = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const clock = (epoch) => seconds.format(epoch * 1000);
export const clockMinutes = (epoch) => minutes.format(epoch * 1000);

// A time, without the day if it is today.
export function moment(epoch) {
  const then = new Date(epoch * 1000);
  return then.toDateString() === new Date().toDateString() ? clock(epoch) : dayAndMinutes.format(then);
}

export function duration(seconds) {
  if (seconds < 60) {
    return `${seconds} s`;
  }
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`;
}

// A colour of the dashboard, as much lighter or darker as it needs to be visible on a card (WCAG 2.2, 1.4.11).
export const seen = (colour) =>
  `light-dark(oklch(from ${colour} min(l, 0.62) c h), oklch(from ${colour} max(l, 0.6) c h))`;

// A link that leaves the view: it opens in a new tab, so that the view stays.
export function Leave({ href, children }) {
  return html`<a href=${href} target="_blank" rel="noopener">${children}<span class="visually-hidden"> (new tab)</span></a>`;
}

// The id of a section's heading, which the links to sections lead to.
export const sectionId = (title) => `section-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;

// A widget with a frame.
export function Card({ title, caption, button, children }) {
  return html`
    <header><h3>${title}</h3><small class="muted">${caption}</small>${button}</header>
    ${children}
  `;
}

// A table that scrolls within its widget; the first cell of each row can be its heading.
export function Table({ label, columns, rows, empty, headed = false }) {
  const cell = (content, at) => (headed && at === 0 ? html`<th scope="row">${content}</th>` : html`<td>${content}</td>`);
  return html`
    <div class="rows" role="region" tabindex="0" aria-label=${label}>
      ${rows.length === 0 && html`<p class="no-data">${empty}</p>`}
      ${rows.length > 0 &&
      html`<table>
        <thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody>
      </table>`}
    </div>
  `;
}
