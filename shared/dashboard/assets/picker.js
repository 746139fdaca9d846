// Which symbol a view shows.

import { h } from "/assets/dom.js";

export function picker(context, view) {
  const step = (by) => {
    const at = context.known.indexOf(context.symbol);
    context.go(view, context.known[(at + by + context.known.length) % context.known.length]);
  };
  const list = h("select", { "aria-label": "Symbol", onchange: () => context.go(view, list.value) },
    context.known.map((symbol) => h("option", { value: symbol }, symbol)));
  list.value = context.symbol;
  return h("div", { class: "picker" },
    h("button", { class: "icon", type: "button", "aria-label": "Symbol before", title: "Symbol before (←)", onclick: () => step(-1) }, "‹"),
    list,
    h("button", { class: "icon", type: "button", "aria-label": "Next symbol", title: "Next symbol (→)", onclick: () => step(1) }, "›"));
}
