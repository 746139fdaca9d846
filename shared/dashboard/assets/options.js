// A chain: implied volatility by strike, open interest by strike, and how whole it is.

import { h, mark, rows, say } from "/assets/dom.js";
import { interest, smile } from "/assets/curves.js";
import { picker } from "/assets/picker.js";
import { age, count, fixed, percent, price } from "/assets/words.js";

export function make(context) {
  const chips = h("div", { class: "chips", role: "group", "aria-label": "Expiration" });
  const smiles = h("div", { class: "chart" });
  const open = h("div", { class: "chart" });
  const whole = h("tbody");
  const told = h("dl", { class: "facts" });
  const status = h("span", { class: "state" });
  const why = h("p", { class: "empty", hidden: true });
  const root = h("div", { class: "stack" },
    h("section", { class: "panel" }, h("header", {}, picker(context, "options"), status, h("span", { class: "fill" }), chips), why, h("div", { class: "body" }, told)),
    h("div", { class: "pair options" },
      h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Implied volatility by strike"), h("span", { class: "fill" }), legend("call", "put")), h("div", { class: "body" }, smiles)),
      h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Open interest by strike"), h("span", { class: "fill" }), legend("calls up", "puts down")), h("div", { class: "body" }, open))),
    h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Completeness")), h("div", { class: "scroll" }, h("table", { class: "list", "aria-label": "How whole the chain is" }, whole))));
  const state = { summary: null, curves: new Map(), chosen: "", drawn: "", version: 0 };

  return {
    root,
    topics: [`options:${context.symbol}`],
    part(_, part, value) {
      if (part === "summary") state.summary = value;
      else {
        const name = part.slice(6);
        if (value) state.curves.set(name, value);
        else state.curves.delete(name);
        state.version += 1;
      }
    },
    frame(now) {
      const { summary } = state;
      if (!summary) return;
      const names = [...state.curves.keys()].sort();
      if (!names.includes(state.chosen)) state.chosen = names.find((name) => state.curves.get(name).dte >= 7) || names[0] || "";
      choose(names);
      facts(summary, now);
      const stamp = `${state.version} ${state.chosen} ${summary.underlying} ${smiles.clientWidth}`;
      if (stamp !== state.drawn && smiles.clientWidth) {
        state.drawn = stamp;
        smiles.replaceChildren(smile(state.curves, state.chosen, summary.underlying, smiles.clientWidth));
        open.replaceChildren(interest(state.curves.get(state.chosen), state.chosen, summary.underlying, open.clientWidth));
      }
      rows(whole, completeness(summary), (one) => one.name, measure, fillMeasure);
    },
  };

  function choose(names) {
    rows(chips, names, (name) => name, (name) => h("button", { class: "button", type: "button", onclick: () => { state.chosen = name; } }), (button, name) => {
      say(button, `${name.slice(5)} · ${count(state.curves.get(name).dte)}d`);
      mark(button, "title", `${name}, ${count(state.curves.get(name).dte)} days`);
      mark(button, "aria-pressed", String(name === state.chosen));
    });
  }

  function facts(summary, now) {
    const well = summary.there && summary.status === "ok";
    say(status, summary.there ? `chain of ${summary.as_of}, ${summary.status || "nobody polls"}` : "no chain");
    mark(status, "data-state", well ? "ok" : summary.there ? "warn" : "bad");
    why.hidden = summary.there && !summary.error;
    say(why, summary.error || (summary.there ? "" : "Nobody says why: does av_options run?"));
    const { metrics, told: poll } = summary;
    const items = [
      ["underlying", price(summary.underlying)],
      ["fetched", summary.fetched_ms ? `${age(now - summary.fetched_ms)} ago` : "–"],
      ["contracts", count(metrics.contracts)],
      ["expirations", count(state.curves.size)],
      ["volume", count(metrics.volume)],
      ["open interest", count(metrics.open_interest)],
      ["put/call volume", fixed(metrics.put_call_volume_ratio, 2)],
      ["put/call interest", fixed(metrics.put_call_open_interest_ratio, 2)],
      ["fetch · store", `${fixed(poll.fetch_ms, 0)} · ${fixed(poll.store_ms, 0)} ms`],
    ];
    rows(told, items, (one) => one[0], () => h("div", {}, h("dt"), h("dd")), (row, [name, value]) => {
      say(row.firstChild, name);
      say(row.lastChild, value);
    });
  }
}

function legend(first, second) {
  return h("div", { class: "legend" }, h("span", { class: "key" }, h("i", { class: "swatch bids", "aria-hidden": "true" }), first), h("span", { class: "key" }, h("i", { class: "swatch asks", "aria-hidden": "true" }), second));
}

function completeness(summary) {
  const { metrics, told } = summary;
  const all = metrics.contracts || 0;
  const share = (value) => (all && value !== null && value !== undefined ? value / all : null);
  return [
    { name: "with greeks", value: metrics.with_greeks, share: share(metrics.with_greeks), good: true },
    { name: "bid and ask", value: metrics.two_sided, share: share(metrics.two_sided), good: true },
    { name: "greeks missing at the vendor", value: metrics.missing_greeks, share: share(metrics.missing_greeks) },
    { name: "junk greeks left out", value: metrics.junk_greeks, share: share(metrics.junk_greeks) },
    { name: "rows dropped", value: told.dropped, share: share(told.dropped) },
    { name: "duplicates", value: told.duplicates, share: share(told.duplicates) },
    { name: "values that were no numbers", value: told.bad_values, share: null },
    { name: "equal answers in a row", value: told.unchanged_fetches, share: null },
  ];
}

function measure() {
  return h("tr", {}, h("th", { scope: "row" }), h("td", { class: "num" }), h("td", { class: "num" }), h("td", { class: "bar" }, h("i")));
}

function fillMeasure(row, one) {
  const [name, value, share, bar] = row.children;
  say(name, one.name);
  say(value, count(one.value));
  say(share, percent(one.share, 1));
  bar.firstChild.style.transform = `scaleX(${(one.share || 0).toFixed(3)})`;
  mark(bar, "data-good", one.good ? "1" : null);
}
