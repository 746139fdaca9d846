// Who held which depth slot when, and how much of the time each symbol was seen.

import { colour, h, hatch, mark, rows, say, surface } from "/assets/dom.js";
import { hideTip, showTipAt } from "/assets/tip.js";
import { age, clock, count, percent, plural } from "/assets/words.js";

const LANE = 66;
const LABEL = 22;
const HEAD = 20;
// Of Okabe and Ito, apart for every kind of sight; each bar has its name in it, too.
const HUES = ["#56b4e9", "#e69f00", "#009e73", "#f0e442", "#0072b2", "#cc79a7", "#d55e00", "#9aa5ad"];
const DARK_TEXT = [true, true, true, true, false, true, false, true];

export function make(context) {
  const canvas = h("canvas", { role: "img" });
  const reach = h("div", { class: "picker", role: "group", "aria-label": "How far back" });
  const words = h("p", { class: "muted words" });
  const body = h("tbody");
  const root = h("div", { class: "stack" },
    h("section", { class: "panel" },
      h("header", {}, h("h2", {}, "Depth slots"), reach, h("span", { class: "fill" }), legend()),
      h("div", { class: "body" }, h("div", { class: "canvas" }, canvas), words)),
    h("section", { class: "panel" },
      h("header", {}, h("h2", {}, "Coverage"), h("span", { class: "muted" }, "share of the time a symbol's book was live, since ibkr_depth started")),
      h("div", { class: "scroll" }, h("table", { class: "list coverage" },
        h("thead", {}, h("tr", {}, ["symbol", "share", "", "live for", "last live", "turns", "now"].map((name, at) =>
          h("th", { scope: "col", class: [1, 3, 4, 5].includes(at) ? "num" : "" }, name)))), body))));
  const state = { spans: [], marks: [], coverage: [], slots: 0, minutes: window.innerWidth < 760 ? 5 : 15, drawn: "", boxes: [] };
  for (const minutes of [5, 15]) {
    reach.append(h("button", { class: "button", type: "button", "data-minutes": minutes, onclick: () => { state.minutes = minutes; state.drawn = ""; } }, `${minutes} min`));
  }
  canvas.addEventListener("pointermove", (event) => point(event, canvas, state, context));
  canvas.addEventListener("pointerleave", () => hideTip());

  return {
    root,
    topics: ["rotation"],
    part(_, part, value) {
      state[part] = value;
      state.drawn = "";
    },
    theme() { state.drawn = ""; },
    frame(now) {
      const stamp = `${Math.floor(now / 500)} ${canvas.parentElement.clientWidth}`;
      if (state.drawn !== stamp) {
        state.drawn = stamp;
        draw(canvas, state, now);
        summary(canvas, words, state);
        for (const one of reach.children) mark(one, "aria-pressed", String(Number(one.dataset.minutes) === state.minutes));
      }
      rows(body, state.coverage, (one) => one.symbol, made, (row, one) => fill(row, one, now));
    },
    close: () => hideTip(),
  };
}

function legend() {
  const item = (name, text) => h("span", { class: "key" }, h("i", { class: `swatch ${name}`, "aria-hidden": "true" }), text);
  return h("div", { class: "legend" }, item("waits", "asked for, no row yet"), item("refusal", "309: no slot left"), item("cool", "cool-down after it"), item("refused", "refused"));
}

function hue(symbol, state) {
  const names = state.coverage.map((one) => one.symbol);
  return Math.max(0, names.indexOf(symbol)) % HUES.length;
}

function draw(canvas, state, now) {
  const lanes = Math.max(1, state.slots, ...state.spans.map((one) => one.slot + 1));
  const made = surface(canvas, HEAD + lanes * (LANE + 8) + 4);
  if (!made) return;
  const { pen, width } = made;
  const x = (ms) => LABEL + (width - LABEL) * (1 - (now - ms) / (state.minutes * 60000));
  state.boxes = [];
  grid(pen, state, now, x, width, lanes);
  pen.textBaseline = "middle";
  for (const one of state.spans) span(pen, one, state, now, x);
  for (const one of state.marks) sign(pen, one, state, x);
}

function sign(pen, one, state, x) {
  const [left, top] = [x(one.at_ms), HEAD + one.slot * (LANE + 8)];
  if (left < LABEL) return;
  if (one.until_ms) {
    pen.fillStyle = colour("stale");
    pen.fillRect(left, top + LANE + 1, Math.max(3, x(one.until_ms) - left), 4);
  }
  (one.kind === "309" ? triangle : cross)(pen, left, top);
  state.boxes.push({ left: left - 7, right: left + 7, top: top - 6, bottom: top + 10, mark: one });
}

function grid(pen, state, now, x, width, lanes) {
  pen.font = "11px system-ui, sans-serif";
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("muted");
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  const every = state.minutes * 60000 / (width < 500 ? 5 : state.minutes);
  for (let at = Math.ceil((now - state.minutes * 60000) / every) * every; at < now; at += every) {
    if (x(at) < LABEL + 16 || x(at) > width - 16) continue;
    pen.beginPath();
    pen.moveTo(Math.round(x(at)) + 0.5, HEAD - 4);
    pen.lineTo(Math.round(x(at)) + 0.5, HEAD + lanes * (LANE + 8));
    pen.stroke();
    pen.fillText(clock(at).slice(0, 5), x(at), 12);
  }
  for (let lane = 0; lane < lanes; lane += 1) {
    const top = HEAD + lane * (LANE + 8);
    pen.fillStyle = colour("raised");
    pen.fillRect(LABEL, top, width - LABEL, LANE);
    pen.fillStyle = colour("muted");
    pen.font = "600 12px system-ui, sans-serif";
    pen.fillText(String(lane), 9, top + LANE / 2 + 4);
  }
  pen.textAlign = "start";
}

function span(pen, one, state, now, x) {
  const to = one.to_ms ?? now;
  const left = Math.max(LABEL, x(one.from_ms));
  const right = x(to);
  if (right <= LABEL) return;
  const top = HEAD + one.slot * (LANE + 8);
  const live = one.live_ms === null ? right : Math.max(left, x(one.live_ms));
  const at = hue(one.symbol, state);
  pen.fillStyle = hatch(pen, colour("raised"), HUES[at]);
  pen.fillRect(left, top, Math.max(1, Math.min(live, right) - left), LANE);
  pen.fillStyle = HUES[at];
  if (right > live) pen.fillRect(live, top, Math.max(1, right - live - 1), LANE);
  if (one.to_ms === null) {
    pen.strokeStyle = colour("text");
    pen.lineWidth = 2;
    pen.strokeRect(left + 1, top + 1, Math.max(1, right - left - 2), LANE - 2);
    pen.lineWidth = 1;
  }
  name(pen, one.symbol, left, right, top, DARK_TEXT[at] ? "#10161c" : "#fff");
  state.boxes.push({ left, right, top, bottom: top + LANE, span: one });
}

// Upright where it fits, else along the bar's height.
function name(pen, symbol, left, right, top, ink) {
  pen.font = "600 11px system-ui, sans-serif";
  pen.fillStyle = ink;
  const wide = right - left;
  const needs = pen.measureText(symbol).width;
  if (wide > needs + 8) pen.fillText(symbol, left + 5, top + 12);
  else if (wide > 13) {
    pen.save();
    pen.translate(left + wide / 2, top + LANE - 5);
    pen.rotate(-Math.PI / 2);
    pen.fillText(symbol, 0, 0);
    pen.restore();
  }
}

function triangle(pen, left, top) {
  pen.fillStyle = colour("stale");
  pen.strokeStyle = colour("text");
  pen.beginPath();
  pen.moveTo(left, top + 9);
  pen.lineTo(left - 7, top - 4);
  pen.lineTo(left + 7, top - 4);
  pen.closePath();
  pen.fill();
  pen.stroke();
}

function cross(pen, left, top) {
  pen.fillStyle = colour("panel");
  pen.strokeStyle = colour("text");
  pen.lineWidth = 1.6;
  pen.beginPath();
  pen.arc(left, top + 3, 6, 0, 7);
  pen.fill();
  pen.stroke();
  pen.beginPath();
  pen.moveTo(left - 4, top + 7);
  pen.lineTo(left + 4, top - 1);
  pen.stroke();
  pen.lineWidth = 1;
}

function point(event, canvas, state, context) {
  const place = canvas.getBoundingClientRect();
  const [left, top] = [event.clientX - place.left, event.clientY - place.top];
  const box = state.boxes.findLast((one) => left >= one.left && left <= one.right && top >= one.top && top <= one.bottom);
  if (!box) return hideTip();
  if (box.mark) return showTipAt(event.clientX, event.clientY, `${box.mark.kind} at ${clock(box.mark.at_ms)}\n${box.mark.text}`);
  const one = box.span;
  const to = one.to_ms ?? context.now();
  const lines = [`${one.symbol} at ${one.venue}, slot ${one.slot}`, `${clock(one.from_ms)} to ${one.to_ms ? clock(one.to_ms) : "now"}, ${age(to - one.from_ms)}`];
  lines.push(one.live_ms === null ? "no row came" : `first row after ${age(one.live_ms - one.from_ms)}`);
  if (one.end) lines.push(`ended: ${one.end}`);
  showTipAt(event.clientX, event.clientY, lines.join("\n"));
}

function summary(canvas, words, state) {
  const held = state.spans.filter((one) => one.to_ms === null).map((one) => `slot ${one.slot} ${one.symbol}`);
  const refused = state.marks.filter((one) => one.kind === "309").length;
  const others = state.marks.length - refused;
  const line = `${held.length ? `held now: ${held.join(", ")}` : "no slot is held"}; ${refused ? `${plural(refused, "refusal")} by 309` : "no 309"}${others ? `, ${plural(others, "other refusal")}` : ""} in 15 minutes`;
  say(words, line);
  mark(canvas, "aria-label", `Depth slots over ${state.minutes} minutes; ${line}`);
}

function made() {
  return h("tr", {}, h("th", { scope: "row" }), h("td", { class: "num" }), h("td", { class: "bar" }, h("i")),
    ...["live for", "last live", "turns"].map((name) => h("td", { class: "num", "data-label": name })), h("td"));
}

function fill(row, one, now) {
  const [symbol, share, bar, live, last, turns, state] = row.children;
  say(symbol, one.symbol);
  say(share, percent(one.share));
  bar.firstChild.style.transform = `scaleX(${Math.min(1, one.share).toFixed(3)})`;
  say(live, age(one.live_s * 1000));
  say(last, one.live ? "now" : one.last_live_ms ? `${age(now - one.last_live_ms)} ago` : "never");
  say(turns, count(one.subscriptions));
  say(state, one.now);
  state.className = "state";
  mark(state, "data-state", one.live ? "ok" : one.now.startsWith("refused") ? "bad" : "off");
}
