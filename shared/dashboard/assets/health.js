// Processes, and the two ledgers below them: what happened, and what was lost.

import { h, mark, rows, say } from "/assets/dom.js";
import { age, clock, count, fixed, megabytes, moment, percent } from "/assets/words.js";

const COLUMNS = ["process", "state", "#up", "#restarts", "#heartbeat", "#a second", "#p50 ms", "#p99 ms", "#CPU", "#memory", "#stale"];

export function make(context) {
  const body = h("tbody");
  const incidents = ledger("Incidents", ["worker", "kind"], ["#time", "worker", "kind", "symbol", "text"], incident);
  const gaps = ledger("Gaps", ["feed", "symbol"], ["#from", "#for", "feed", "symbol", "#lost", "reason"], gap);
  const began = h("span", { class: "muted" });
  const root = h("div", { class: "stack" },
    h("section", { class: "panel" }, h("header", {}, h("h2", {}, "Processes"), began),
      h("div", { class: "scroll" }, h("table", { class: "list processes" },
        h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col", class: name.startsWith("#") ? "num" : "" }, name.replace("#", ""))))), body))),
    h("div", { class: "pair" }, incidents.root, gaps.root));
  const state = { rows: [], beganMs: null };

  return {
    root,
    topics: ["processes", "incidents", "gaps"],
    part(topic, part, value) {
      if (topic === "incidents") incidents.take(value);
      else if (topic === "gaps") gaps.take(value);
      else if (part === "rows") state.rows = value;
      else if (part === "began_ms") state.beganMs = value;
    },
    frame(now) {
      say(began, state.beganMs ? `restarts since ${clock(state.beganMs)}, when this dashboard began to look` : "");
      rows(body, state.rows, (one) => one.name, made, (row, one) => fill(row, one, now));
      incidents.show(now);
      gaps.show(now);
    },
  };
}

function made() {
  return h("tr", {}, h("th", { scope: "row" }), h("td", {}, h("span", { class: "state" }), h("span", { class: "detail muted" })), ...COLUMNS.slice(2).map((name) => h("td", { class: "num", "data-label": name.slice(1) })));
}

function fill(row, one, now) {
  const [name, stateCell, up, restarts, beat, rate, p50, p99, cpu, memory, stale] = row.children;
  const [state, detail] = stateCell.children;
  say(name, one.name);
  mark(name, "title", one.pid ? `pid ${one.pid}, version ${one.version}` : null);
  const [word, look] = looks(one);
  say(state, word);
  mark(state, "data-state", look);
  say(detail, one.detail);
  const lives = one.state && !["stopped", "left out"].includes(one.state);
  say(up, lives && one.started_ms ? age(now - one.started_ms) : "–");
  say(restarts, count(one.restarts));
  say(beat, one.beat_ms ? age(now - one.beat_ms) : "–");
  mark(beat, "data-late", one.late ? "1" : null);
  say(rate, count(one.rate_per_s));
  say(p50, fixed(one.p50_ms, 1));
  say(p99, fixed(one.p99_ms, 1));
  say(cpu, percent(one.cpu_share, 1));
  say(memory, megabytes(one.rss_bytes));
  say(stale, count(one.stale));
}

function looks(one) {
  if (one.state === null) return ["no heartbeat", "bad"];
  if (one.state === "left out") return ["left out", "off"];
  if (one.late) return [`late, was ${one.state}`, "late"];
  if (one.state === "stopped") return ["stopped", "off"];
  if (one.state !== "running") return [one.state, "warn"];
  return one.connected === false ? ["running, not connected", "bad"] : ["running", "ok"];
}

// A ledger: what it holds, what is asked for, one line each.
function ledger(title, fields, columns, cells) {
  const counted = h("span", { class: "muted" });
  const filter = h("input", { type: "search", placeholder: "filter", "aria-label": `Filter ${title.toLowerCase()}` });
  const choices = fields.map((name) => h("select", { "aria-label": `Only this ${name}` }, h("option", { value: "" }, `any ${name}`)));
  const body = h("tbody");
  const none = h("p", { class: "empty", hidden: true });
  const root = h("section", { class: "panel" },
    h("header", {}, h("h2", {}, title), counted, h("span", { class: "fill" }), h("div", { class: "picker" }, filter, choices)),
    h("div", { class: "scroll tall" }, h("table", { class: "list ledger" },
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col", class: name.startsWith("#") ? "num" : "" }, name.replace("#", ""))))), body), none));
  let found = [];
  let stamp = "";

  function wanted() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return found.filter((one) => choices.every((choice, at) => !choice.value || one[fields[at]] === choice.value)
      && words.every((word) => Object.values(one).join(" ").toLowerCase().includes(word)));
  }

  return {
    root,
    take(value) {
      found = value || [];
      stamp = "";
      fields.forEach((name, at) => {
        const names = [...new Set(found.map((one) => one[name]).filter(Boolean))].sort();
        const kept = choices[at].value;
        choices[at].replaceChildren(h("option", { value: "" }, `any ${name}`), ...names.map((one) => h("option", { value: one }, one)));
        choices[at].value = names.includes(kept) ? kept : "";
      });
    },
    show(now) {
      const next = `${found[0]?.id} ${filter.value} ${choices.map((one) => one.value).join(" ")}`;
      if (next === stamp) return;
      stamp = next;
      const shown = wanted();
      say(counted, shown.length === found.length ? `newest ${found.length}` : `${shown.length} of the newest ${found.length}`);
      none.hidden = shown.length > 0;
      say(none, found.length ? "none fits the filter" : `no ${title.toLowerCase()}`);
      rows(body, shown, (one) => one.id, () => h("tr", {}, columns.map((name) => h("td", { class: name.startsWith("#") ? "num" : "", "data-label": name.replace("#", "") }))), (row, one) => {
        cells(one, now).forEach((text, at) => say(row.children[at], text));
      });
    },
  };
}

function incident(one, now) {
  return [moment(Number(one.ts), now), one.worker, one.kind, one.symbol || "–", one.text];
}

function gap(one, now) {
  const [from, to] = [Number(one.from_ts), Number(one.to_ts)];
  const numbers = one.from_seq ? ` (${one.from_seq}–${one.to_seq})` : "";
  return [moment(from, now), age(to - from), one.feed, `${one.symbol || "several"}${one.venue ? ` ${one.venue}` : ""}`, `${one.count || "?"}${numbers}`, one.reason];
}
