/** Remaining time: shown each second, announced to screen readers less often. */

/** Remaining seconds that are announced, in addition to each full minute. */
const SPOKEN_AT = new Set([30, 10]);

/**
 * Count down to a time of `performance.now()`, which does not change with the machine's clock.
 *
 * @param {number} until  milliseconds, as of `performance.now()`
 * @param {HTMLElement} element  shows the remaining time, such as `0:57`
 * @param {() => void} end  called at the end
 * @param {(words: string) => void} [speak]  called when a screen reader should announce the time, such as `57 seconds`
 * @returns {() => void} a function that stops the countdown
 */
export function countDown(until, element, end, speak = () => {}) {
  let timer;
  const tick = (first) => {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    if (seconds <= 0) {
      end();
      return;
    }
    element.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (first || seconds % 60 === 0 || SPOKEN_AT.has(seconds)) {
      speak(words(seconds));
    }
    // Wait until the shown second changes: this does not drift, and is correct after the machine slept.
    timer = setTimeout(tick, until - performance.now() - (seconds - 1) * 1000);
  };
  tick(true);
  return () => clearTimeout(timer);
}

/** `57 seconds`, `2 minutes`, `1 minute 5 seconds`. */
function words(seconds) {
  const part = (count, unit) => (count === 0 ? "" : `${count} ${unit}${count === 1 ? "" : "s"}`);
  return [part(Math.floor(seconds / 60), "minute"), part(seconds % 60, "second")].filter(Boolean).join(" ");
}
