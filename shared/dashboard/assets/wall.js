// Symbols x surfaces: how old each is against what it may be.

import { h, mark, rows, s, say } from "/assets/dom.js";
import { hideTip, showTip, tipOwner } from "/assets/tip.js";
import { age, clock, count, shortAge } from "/assets/words.js";

const TITLES = {
  depth: ["Depth", "Dpt"], quotes: ["Quotes", "Quo"], trades: ["Trades", "Trd"], bars: ["Bars", "Bar"],
  options: ["Options", "Opt"], sentiment: ["News", "News"], technicals: ["Technicals", "Tec"],
};
const OWNERS = {
  depth: "ibkr_depth", quotes: "ibkr_trades", trades: "ibkr_trades", bars: "ibkr_trades",
  options: "av_options", sentiment: "av_sentiment", technicals: "av_sentiment",
};
// Not colour alone: each state has its sign, and its word in the tip.
const SIGNS = { fresh: "", ageing: "◔", overdue: "◆", stale: "▲", refused: "⊘", absent: "", waiting: "…", closed: "" };
const WORDS = {
  fresh: "fresh", ageing: "ageing", overdue: "older than its budget, but not judged stale", stale: "stale",
  refused: "refused", absent: "not expected", waiting: "nothing has come yet", closed: "old, as the market is closed",
};
const AGEING = 0.75;

export function make(context) {
  const body = h("tbody");
  const head = h("tr", {}, h("th", { scope: "col" }, "Symbol"), h("th", { scope: "col", class: "rate" }, "Rows · trades a second"));
  const table = h("table", { class: "wall", role: "grid", "aria-label": "How fresh each symbol's surfaces are" }, h("thead", {}, head), body);
  const counts = h("span", { class: "muted" });
  const root = h("section", { class: "panel" },
    h("header", {}, h("h2", {}, "Freshness"), counts, h("span", { class: "fill" }), legend()),
    table);
  const state = { surfaces: [], rows: new Map(), rates: {}, cells: new Map(), focus: [0, 0] };

  table.addEventListener("keydown", (event) => move(event, state, context));
  table.addEventListener("focusin", (event) => tell(event.target, state, context));
  table.addEventListener("focusout", (event) => hideTip(event.target.closest("td") || undefined));
  table.addEventListener("pointerover", (event) => tell(event.target, state, context));
  table.addEventListener("pointerout", (event) => hideTip(event.target.closest("td") || undefined));

  return {
    root,
    topics: ["wall"],
    part(topic, part, value) {
      if (part === "surfaces") {
        state.surfaces = value;
        head.replaceChildren(...[...head.children].slice(0, 2), ...value.map((name) =>
          h("th", { scope: "col", class: "surface" }, h("span", { class: "long" }, TITLES[name][0]), h("abbr", { class: "short", title: TITLES[name][0] }, TITLES[name][1]))));
      } else if (part === "rates") state.rates = value;
      else if (value) state.rows.set(value.symbol, value);
      else state.rows.delete(part.slice(4));
    },
    frame(now) {
      mark(table, "data-closed", context.session !== "regular" ? "1" : null);
      const tally = { stale: 0, overdue: 0, fresh: 0 };
      rows(body, [...state.rows.values()], (row) => row.symbol, (row) => made(row, state, context),
        (row, found, at) => fill(row, found, at, state, now, tally, context.session === "regular"));
      say(counts, `${tally.stale} stale, ${tally.overdue} overdue, ${tally.fresh} fresh${context.session === "regular" ? "" : `; market ${context.session}, silence is expected`}`);
      const owner = tipOwner();
      if (owner && owner.isConnected && owner.closest(".wall")) tell(owner, state, context);
    },
    close: hideTip,
  };
}

function legend() {
  const item = (name, text) => h("span", { class: "key" }, h("i", { class: "cell", "data-state": name, "aria-hidden": "true" }, SIGNS[name]), text);
  return h("div", { class: "legend" }, item("fresh", "fresh"), item("ageing", "over ¾ of its budget"), item("overdue", "over budget"),
    item("stale", "stale"), item("refused", "refused"), h("span", { class: "key" }, h("i", { class: "slot", "aria-hidden": "true" }), "holds a depth slot"),
    h("span", { class: "key" }, h("i", { class: "cell closed", "aria-hidden": "true" }), "market closed"));
}

function made(row, state, context) {
  const line = (name) => s("svg", { class: `spark ${name}`, viewBox: "0 0 60 16", preserveAspectRatio: "none", "aria-hidden": "true" }, s("polyline", { points: "" }));
  const symbol = h("th", { scope: "row" }, h("a", { href: `#/ladder/${row.symbol}` }, row.symbol), h("span", { class: "slot", hidden: true }), h("span", { class: "venue" }));
  const rate = h("td", { class: "rate" }, h("span", { class: "rate-number" }), line("depth"), h("span", { class: "rate-number" }), line("trades"));
  const cells = row.cells.map((_, at) => {
    const cell = h("td", { role: "gridcell", tabindex: "-1", class: "cell", "data-symbol": row.symbol, "data-surface": state.surfaces[at] },
      h("span", { class: "sign", "aria-hidden": "true" }), h("span", { class: "age" }), h("i", { class: "gauge" }));
    state.cells.set(cell, null);
    return cell;
  });
  return h("tr", {}, symbol, rate, cells);
}

function fill(element, row, at, state, now, tally, open) {
  const [symbol, rate, ...cells] = element.children;
  symbol.children[1].hidden = !row.slot;
  say(symbol.children[2], row.slot);
  sparks(rate, state.rates[row.symbol]);
  const told = window.innerWidth < 760 ? shortAge : age;
  row.cells.forEach((found, index) => {
    const cell = cells[index];
    const look = judged(found, now, open);
    if (look.name in tally) tally[look.name] += 1;
    state.cells.set(cell, { ...found, ...look, now });
    mark(cell, "data-state", look.name);
    mark(cell, "tabindex", state.focus[0] === at && state.focus[1] === index ? "0" : "-1");
    say(cell.children[0], SIGNS[look.name]);
    say(cell.children[1], look.age === null ? (look.name === "absent" ? "" : "–") : told(look.age));
    mark(cell, "aria-label", `${row.symbol} ${found.surface || cell.dataset.surface}: ${WORDS[look.name]}${look.age === null ? "" : `, ${age(look.age)}`}`);
    const width = look.name === "absent" || look.share === null ? 0 : Math.min(1, look.share);
    cell.children[2].style.transform = `scaleX(${width.toFixed(3)})`;
  });
}

function judged(cell, now, open) {
  const old = cell.at_ms === null ? null : Math.max(0, now - cell.at_ms);
  const share = old === null || !cell.budget_s ? null : old / 1000 / cell.budget_s;
  if (cell.state !== "ok") return { name: cell.state, age: old, share };
  if (old === null) return { name: "waiting", age: null, share: null };
  if (share === null || share < AGEING) return { name: "fresh", age: old, share };
  // Nothing is owed while the market is closed: no colour calls for a look all night.
  if (!open) return { name: "closed", age: old, share: null };
  return { name: share < 1 ? "ageing" : "overdue", age: old, share };
}

function sparks(rate, lines) {
  if (!lines) return;
  [["depth", 0], ["trades", 2]].forEach(([name, at]) => {
    const values = lines[name];
    const recent = values.slice(-5);
    say(rate.children[at], count(recent.length ? Math.round(recent.reduce((sum, one) => sum + one, 0) / recent.length * 10) / 10 : null));
    const most = Math.max(...values, 1);
    const points = values.map((value, index) => `${60 - values.length + index},${(15 - (value / most) * 14).toFixed(1)}`).join(" ");
    mark(rate.children[at + 1].firstChild, "points", points);
  });
}

function tell(target, state, context) {
  const cell = target.closest ? target.closest("td.cell") : null;
  const found = cell && state.cells.get(cell);
  if (!found) return;
  const budget = found.budget_s ? `, may be ${age(found.budget_s * 1000)}` : "";
  const lines = [`${cell.dataset.symbol} ${TITLES[cell.dataset.surface][0].toLowerCase()}: ${WORDS[found.name]}`];
  if (found.age !== null) lines.push(`${age(found.age)} old${budget} (${clock(found.at_ms)})`);
  if (found.why) lines.push(found.why);
  if (context.session !== "regular") lines.push(`market ${context.session}`);
  showTip(cell, lines.join("\n"));
}

function move(event, state, context) {
  const cell = event.target.closest("td.cell");
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!cell) return;
  if (event.key === "Enter") return context.go("ladder", cell.dataset.symbol);
  if (event.key === "r") {
    event.preventDefault();
    return context.order(cell.dataset.symbol, OWNERS[cell.dataset.surface]);
  }
  if (!step) return;
  event.preventDefault();
  const row = cell.parentElement;
  const next = step[0] ? (step[0] > 0 ? row.nextElementSibling : row.previousElementSibling) : row;
  const to = next && next.children[[...row.children].indexOf(cell) + step[1]];
  if (!to || !to.classList.contains("cell")) return;
  state.focus = [[...next.parentElement.children].indexOf(next), [...next.children].indexOf(to) - 2];
  mark(cell, "tabindex", "-1");
  mark(to, "tabindex", "0");
  to.focus();
}
