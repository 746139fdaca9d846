// The page: which view is shown, its keys, and what is told above all views.

import { mark, say } from "/assets/dom.js";
import { Feed } from "/assets/feed.js";
import { Head } from "/assets/head.js";
import { askOrder, fillHelp } from "/assets/dialogs.js";
import { hideTip } from "/assets/tip.js";
import { clock } from "/assets/words.js";
import * as budget from "/assets/budget.js";
import * as health from "/assets/health.js";
import * as heat from "/assets/heat.js";
import * as ladder from "/assets/ladder.js";
import * as options from "/assets/options.js";
import * as rotation from "/assets/rotation.js";
import * as wall from "/assets/wall.js";

const VIEWS = [
  { name: "wall", title: "Wall", make: wall.make },
  { name: "ladder", title: "Ladder", make: ladder.make, of: "all" },
  { name: "heat", title: "Depth", make: heat.make, of: "depth" },
  { name: "rotation", title: "Rotation", make: rotation.make },
  { name: "options", title: "Options", make: options.make, of: "all" },
  { name: "budget", title: "Budget", make: budget.make },
  { name: "health", title: "Processes", make: health.make },
];

const place = document.getElementById("view");
const head = new Head(VIEWS);
const context = {
  symbols: { all: [], depth: [] },
  session: "regular",
  mayOrder: false,
  now: () => feed.now(),
  go: (view, symbol) => {
    location.hash = symbol ? `#/${view}/${symbol}` : `#/${view}`;
  },
  order: (symbol, worker) => askOrder(context, symbol, worker),
};
let shown = null;
let dirty = true;

const feed = new Feed(
  (topic, part, value) => {
    if (part === "refused") head.refused(topic, value);
    else if (topic === "top") top(part, value);
    else if (shown && shown.topics.includes(topic)) shown.view.part(topic, part, value);
    dirty = true;
  },
  (state) => {
    mark(document.documentElement, "data-feed", state);
    head.feed(state, feed);
  },
);

function top(part, value) {
  if (part === "symbols") {
    const first = context.symbols.all.length === 0;
    context.symbols = value;
    if (first && shown && shown.waits) route();
    return;
  }
  context.session = value.session.state || "unknown";
  context.mayOrder = value.may_order;
  head.state(value, feed.now());
}

// `#/ladder/SPY`: the view and, where it is of one, the symbol.
function route() {
  const [, name, wanted] = location.hash.match(/^#\/(\w+)(?:\/(.+))?$/) || [];
  if (!name && location.hash && shown) return;
  const spec = VIEWS.find((one) => one.name === name) || VIEWS[0];
  const known = spec.of ? context.symbols[spec.of] : [];
  const kept = remembered();
  const symbol = spec.of ? [decodeURIComponent(wanted || ""), kept, known[0]].find((one) => known.includes(one)) : "";
  if (shown && shown.view.close) shown.view.close();
  if (shown) shown.topics.forEach((topic) => head.refused(topic, null));
  hideTip();
  if (spec.of && !symbol) {
    shown = { spec, symbol: "", view: { part() {}, frame() {} }, topics: [], waits: true };
    place.replaceChildren();
    feed.watch(["top"]);
  } else {
    if (symbol) remember(symbol);
    const view = spec.make({ ...context, get session() { return context.session; }, get mayOrder() { return context.mayOrder; }, symbol, known });
    shown = { spec, symbol, view, topics: view.topics };
    place.replaceChildren(view.root);
    feed.watch(["top", ...view.topics]);
  }
  document.title = symbol ? `${symbol} ${spec.title} · tickvisor` : `${spec.title} · tickvisor`;
  head.current(spec.name);
  dirty = true;
}

function remembered() {
  return sessionStorage.getItem("symbol");
}

function remember(symbol) {
  sessionStorage.setItem("symbol", symbol);
}

function step(by) {
  const known = shown && shown.spec.of ? context.symbols[shown.spec.of] : [];
  if (known.length === 0) return;
  const at = known.indexOf(shown.symbol);
  context.go(shown.spec.name, known[(at + by + known.length) % known.length]);
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  const number = Number(event.key);
  if (number >= 1 && number <= VIEWS.length) context.go(VIEWS[number - 1].name);
  else if (event.key === "ArrowRight" || event.key === "]" || event.key === "j") step(1);
  else if (event.key === "ArrowLeft" || event.key === "[" || event.key === "k") step(-1);
  else if (event.key === "t") head.switchTheme();
  else if (event.key === "?") fillHelp();
  else if (event.key === "r") context.order(shown ? shown.symbol : "", "");
  else if (event.key === "/") {
    const filter = place.querySelector("input[type=search]");
    if (!filter) return;
    filter.focus();
  } else return;
  event.preventDefault();
}

// Drawn when something came, and four times a second for the ages.
function frame() {
  if (dirty && shown) {
    dirty = false;
    shown.view.frame(feed.now());
    say(document.getElementById("clock"), clock(feed.now()));
    mark(document.getElementById("clock"), "datetime", new Date(feed.now()).toISOString());
  }
  requestAnimationFrame(frame);
}

document.addEventListener("keydown", key);
document.getElementById("keys").addEventListener("click", fillHelp);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  place.focus();
});
window.addEventListener("hashchange", route);
window.addEventListener("resize", () => { dirty = true; });
setInterval(() => { dirty = true; }, 250);
head.onTheme = () => { dirty = true; if (shown && shown.view.theme) shown.view.theme(); };
route();
requestAnimationFrame(frame);
