// Accessibility fixes for the theme's markup. The theme wraps the copy button of each code block in a navigation
// landmark, although it navigates nowhere. Wide tables scroll, which needs a focusable element for the keyboard.
const improve = {
  "nav.md-code__nav:not([role])": (nav) => nav.setAttribute("role", "none"),
  ".md-typeset__scrollwrap:not([tabindex])": (table) => table.setAttribute("tabindex", "0"),
};

new MutationObserver(() => {
  for (const [elements, change] of Object.entries(improve)) document.querySelectorAll(elements).forEach(change);
}).observe(document.documentElement, { childList: true, subtree: true });
