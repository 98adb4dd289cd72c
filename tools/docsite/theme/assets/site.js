// What the theme makes of the pages, for those who use no mouse. It puts a landmark for navigation around the button of
// each block of code: all alike, and none navigates anywhere; the button itself has a name. And it makes wide tables
// scroll, which takes a place for the keyboard to stop at.
const improve = {
  "nav.md-code__nav:not([role])": (nav) => nav.setAttribute("role", "none"),
  ".md-typeset__scrollwrap:not([tabindex])": (table) => table.setAttribute("tabindex", "0"),
};

new MutationObserver(() => {
  for (const [elements, change] of Object.entries(improve)) document.querySelectorAll(elements).forEach(change);
}).observe(document.documentElement, { childList: true, subtree: true });
