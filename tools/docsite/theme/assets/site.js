// Accessibility fixes for the theme's markup. Its search dialog has no name, and it wraps the copy button of each code
// block in a navigation landmark, although it navigates nowhere. Wide tables scroll, which needs a focusable element for the keyboard. Rows that
// the style sheet shows as cards need the names of their columns, and roles, which they would lose with the layout. Code
// without a space is a name, which is not broken.
const improve = {
  ".md-typeset table:not([class]):not([role])": (table) => {
    const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    table.setAttribute("role", "table");
    for (const [tags, role] of [["thead, tbody", "rowgroup"], ["tr", "row"], ["th", "columnheader"], ["td", "cell"]]) {
      table.querySelectorAll(tags).forEach((each) => each.setAttribute("role", role));
    }
    for (const code of table.querySelectorAll("td > code:only-child")) {
      code.classList.toggle("name", !code.textContent.includes(" "));
    }
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, at) => at > 0 && names[at] && cell.setAttribute("data-label", names[at]));
    }
  },
  ".md-search:not([aria-label])": (dialog) => dialog.setAttribute("aria-label", "Search"),
  "nav.md-code__nav:not([role])": (nav) => nav.setAttribute("role", "none"),
  ".md-typeset__scrollwrap:not([tabindex])": (table) => table.setAttribute("tabindex", "0"),
};

new MutationObserver(() => {
  for (const [elements, change] of Object.entries(improve)) document.querySelectorAll(elements).forEach(change);
}).observe(document.documentElement, { childList: true, subtree: true });
