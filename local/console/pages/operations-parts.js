// Helpers of the operations view: elements, numbers, times, colours.

// An element with properties, `data` attributes and children. Text is never parsed as markup.
export function element(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(aria)) {
    made.setAttribute(name === "role" ? name : `aria-${name}`, value);
  }
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

// An SVG element. The Content-Security-Policy allows presentation attributes, unlike inline styles.
export function drawing(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const few = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

// A number short enough for an axis: 0.5, 12.3, 1,234, 56k, 7.8M.
export function short(value) {
  for (const [limit, suffix] of [
    [1e6, "M"],
    [1e4, "k"],
  ]) {
    if (Math.abs(value) >= limit) {
      return few.format(value / (suffix === "M" ? 1e6 : 1e3)) + suffix;
    }
  }
  return Math.abs(value) >= 100 ? whole.format(value) : few.format(value);
}

// A value of a line, or why there is none.
export function shortOrNone(value, { aws_only: awsOnly }) {
  if (value === null || value === undefined) {
    return awsOnly ? "AWS only" : "no data";
  }
  return short(value);
}

// A name that may break between its words: MFASetup|Attempts, verify-|mfa.
export function breakable(name) {
  const words = name.split(/(?<=[a-z])(?=[A-Z])|(?<=[-_/])/);
  return words.flatMap((word, index) => (index ? [element("wbr"), word] : [word]));
}

const seconds = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minutes = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayAndMinutes = new Intl.DateTimeFormat("en", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

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

// -- colours ---------------------------------------------------------------------------------------------------

export const cssColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const channels = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
const hex = (rgb) => `#${rgb.map((each) => Math.round(each).toString(16).padStart(2, "0")).join("")}`;

// Two colours mixed, with `share` of the first.
export function mixed(colour, other, share) {
  const below = channels(other);
  return hex(channels(colour).map((each, index) => each * share + below[index] * (1 - share)));
}

function luminance(colour) {
  const [r, g, b] = channels(colour).map((each) => {
    const part = each / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const LEAST_CONTRAST = 3; // of graphics, by WCAG 2.2, 1.4.11

// A colour of the dashboard, changed as little as needed to be visible on the background.
export function seen(colour, background = cssColour("surface")) {
  const target = luminance(background) > 0.5 ? "#000000" : "#ffffff";
  for (let share = 1; share > 0; share -= 0.05) {
    const candidate = mixed(colour, target, share);
    if (contrast(candidate, background) >= LEAST_CONTRAST) {
      return candidate;
    }
  }
  return target;
}
