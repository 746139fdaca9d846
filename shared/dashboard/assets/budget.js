// The vendor's budget: tokens, who called for what, and what is suspended until when.

import { h, mark, rows, say } from "/assets/dom.js";
import { age, count, fixed } from "/assets/words.js";

const WELL = ["data", "empty"];

export function make(context) {
  const gauge = h("div", { class: "tokens", role: "meter", "aria-label": "Tokens", "aria-valuemin": "0" }, h("i"), h("b"));
  const facts = h("dl", { class: "facts" });
  const cooldown = h("p", { class: "state words" });
  const calls = h("tbody");
  const circuits = h("tbody");
  const none = h("p", { class: "empty" }, "nothing is suspended");
  const columns = (names) => h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col", class: name.startsWith("#") ? "num" : "" }, name.replace("#", "")))));
  const root = h("div", { class: "stack" },
    h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Token bucket of the vendor")), h("div", { class: "body" }, gauge, facts, cooldown)),
    h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Calls by process, type and answer"), h("span", { class: "muted" }, "since the process started")),
      h("div", { class: "scroll" }, h("table", { class: "list calls" }, columns(["process", "#requests", "by type", "answers", "#failures", "#in flight", "#overdue", "#p99 ms", "#told"]), calls))),
    h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Circuit breakers")),
      h("div", { class: "scroll" }, h("table", { class: "list circuits" }, columns(["process", "what", "state", "#until", "#failures", "reason"]), circuits)), none));
  const state = { bucket: null, calls: [], circuits: [], at: 0 };

  return {
    root,
    topics: ["budget"],
    part(_, part, value) {
      state[part] = value;
      if (part === "calls") state.at = context.now();
    },
    frame(now) {
      if (state.bucket) showBucket(state.bucket);
      rows(calls, state.calls, (one) => one.worker, madeCall, (row, one) => fillCall(row, one, now - state.at));
      rows(circuits, state.circuits, (one) => `${one.worker} ${one.name}`, madeCircuit, (row, one) => fillCircuit(row, one, now));
      none.hidden = state.circuits.length > 0;
    },
  };

  function showBucket({ burst, told }) {
    gauge.hidden = !told;
    if (!told) {
      say(cooldown, "no budget: ALPHA_VANTAGE_API_KEY is missing");
      mark(cooldown, "data-state", "warn");
      return;
    }
    const tokens = Math.floor(told.tokens);
    gauge.firstChild.style.transform = `scaleX(${Math.min(1, told.tokens / Math.max(1, burst)).toFixed(3)})`;
    say(gauge.lastChild, `${tokens} of ${burst} tokens`);
    mark(gauge, "aria-valuenow", tokens);
    mark(gauge, "aria-valuemax", burst);
    const items = [
      ["budget", `${told.budget_per_min} of ${told.calls_per_min} a minute`],
      ["pace", `${told.calls_per_s} a second`],
      ["granted", count(told.granted)],
      ["waited", `${count(told.waited)}, ${age(told.waited_ms)} in all`],
      ["refused", count(told.refused)],
    ];
    rows(facts, items, (one) => one[0], () => h("div", {}, h("dt"), h("dd")), (row, [name, value]) => {
      say(row.firstChild, name);
      say(row.lastChild, value);
    });
    const left = told.cooldown_left_s;
    say(cooldown, left > 0 ? `all hold back for ${age(left * 1000)}: ${told.cooldown_reason || "no reason told"}` : "no cool-down");
    mark(cooldown, "data-state", left > 0 ? "bad" : "ok");
  }
}

function madeCall() {
  return h("tr", {}, h("th", { scope: "row" }), h("td", { class: "num", "data-label": "requests" }), h("td", { class: "types" }), h("td", { class: "answers" }),
    ...["failures", "in flight", "overdue", "p99 ms", "told"].map((name) => h("td", { class: "num", "data-label": name })));
}

function fillCall(row, one, since) {
  const [worker, requests, types, answers, failures, flying, overdue, slow, told] = row.children;
  say(worker, one.worker);
  say(requests, count(one.requests));
  const kinds = Object.entries(one.answers).sort((first, second) => WELL.includes(first[0]) - WELL.includes(second[0]));
  tags(types, Object.entries(one.types));
  tags(answers, kinds, (kind) => !WELL.includes(kind));
  say(failures, count(one.failures));
  say(flying, count(one.in_flight));
  say(overdue, one.overdue_s === null ? "–" : age(one.overdue_s * 1000));
  say(slow, fixed(one.p99_ms, 0));
  say(told, one.told_age_s === null ? "never" : `${age(one.told_age_s * 1000 + since)} ago`);
}

function tags(cell, counts, isBad = () => false) {
  rows(cell, counts, (found) => found[0], () => h("span", { class: "tag" }), (tag, [kind, amount]) => {
    say(tag, `${kind} ${count(amount)}`);
    mark(tag, "data-bad", isBad(kind) ? "1" : null);
  });
}

function madeCircuit() {
  return h("tr", {}, h("th", { scope: "row" }), h("td"), h("td", { class: "state" }), h("td", { class: "num", "data-label": "until" }), h("td", { class: "num", "data-label": "failures" }), h("td"));
}

function fillCircuit(row, one, now) {
  const [worker, what, state, until, failures, reason] = row.children;
  say(worker, one.worker);
  say(what, one.name);
  say(state, one.state.replace("_", "-"));
  mark(state, "data-state", { open: "bad", half_open: "warn" }[one.state] || "ok");
  say(until, one.state === "closed" ? "–" : one.until_ms && one.until_ms > now ? `in ${age(one.until_ms - now)}` : "probe due");
  say(failures, count(one.failures));
  say(reason, one.reason);
}
