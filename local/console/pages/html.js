// Markup from templates: Preact, with HTM's template strings. Text is never parsed as markup.

import htm from "/vendor/htm.mjs";
import { Component, h, render } from "/vendor/preact.mjs";

export const html = htm.bind(h);
export { Component, render };
