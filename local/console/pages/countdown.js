/** Remaining time: shown each second, announced to screen readers less often. */

/** Remaining seconds that are announced, in addition to each full minute. */
const SPOKEN_AT = new Set([30, 10]);

/**
 * Count down to a time of `performance.now()`, which does not change with the machine's clock.
 *
 * @param {number} until  milliseconds, as of `performance.now()`
 * @param {object} listener
 * @param {(seconds: number) => void} listener.show  called at once, then each second
 * @param {(seconds: number) => void} [listener.speak]  called when a screen reader should announce the time
 * @param {() => void} listener.end  called at the end
 * @returns {() => void} a function that stops the countdown
 */
export function countDown(until, { show, speak = () => {}, end }) {
  let timer;
  const left = () => Math.ceil((until - performance.now()) / 1000);
  const tick = (first) => {
    const seconds = left();
    if (seconds <= 0) {
      end();
      return;
    }
    show(seconds);
    if (first || seconds % 60 === 0 || SPOKEN_AT.has(seconds)) {
      speak(seconds);
    }
    // Wait until the shown second changes: this does not drift, and is correct after the machine slept.
    timer = setTimeout(tick, until - performance.now() - (seconds - 1) * 1000);
  };
  tick(true);
  return () => clearTimeout(timer);
}

/** `0:57`, `59:03`. */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** `57 seconds`, `2 minutes`, `1 minute 5 seconds`. */
export function words(seconds) {
  const part = (count, unit) => (count === 0 ? "" : `${count} ${unit}${count === 1 ? "" : "s"}`);
  return [part(Math.floor(seconds / 60), "minute"), part(seconds % 60, "second")].filter(Boolean).join(" ");
}
