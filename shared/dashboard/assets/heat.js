// Ten minutes of a symbol's book: price up, time to the right, the darker the more shares.

import { colour, h, hatch, say, surface } from "/assets/dom.js";
import { picker } from "/assets/picker.js";
import { hideTip, showTipAt } from "/assets/tip.js";
import { clock, count, price } from "/assets/words.js";

const SPAN_S = 600;
const AXIS = 62;
const FOOT = 20;
const STEPS = 12;
// So many levels from the best are what the picture is made to fit.
const NEAR = 4;
// The server sends so many columns each second, and so many trades of one are drawn.
const NEWEST = 5;
const PRINTS = 3;

export function make(context) {
  const canvas = h("canvas", { role: "img" });
  const words = h("p", { class: "muted words" });
  const root = h("section", { class: "panel" },
    h("header", {}, picker(context, "heat"), h("h2", {}, "Depth, ten minutes"), h("span", { class: "fill" }), legend()),
    h("div", { class: "body" }, h("div", { class: "canvas" }, canvas), words));
  const columns = new Map();
  const state = { gaps: [], asked: false, drawn: "", shape: null, layer: null };
  canvas.addEventListener("pointermove", (event) => point(event, state, columns));
  canvas.addEventListener("pointerleave", () => hideTip());
  fetchAll();

  function fetchAll() {
    if (state.asked) return;
    state.asked = true;
    fetch(`/heat/${encodeURIComponent(context.symbol)}`)
      .then((answer) => (answer.ok ? answer.json() : { columns: [] }))
      .then((found) => {
        for (const one of found.columns) columns.set(one.t, one);
        state.layer = null;
        state.drawn = "";
      })
      .catch(() => {})
      .finally(() => { state.asked = false; });
  }

  return {
    root,
    topics: [`heat:${context.symbol}`],
    part(_, part, value) {
      if (part === "gaps") state.gaps = value;
      else if (part === "newest" && value) take(value);
      state.drawn = "";
    },
    theme() { state.drawn = ""; },
    frame(now) {
      // Once a second: the picture moves by a column.
      const stamp = `${Math.floor(now / 1000)} ${canvas.parentElement.clientWidth}`;
      if (state.drawn === stamp) return;
      state.drawn = stamp;
      draw(canvas, columns, state, now);
      tell(canvas, words, columns, state, context.symbol, now);
    },
    close: () => hideTip(),
  };

  // A hole behind what is here already: some were missed, ask for all.
  function take(found) {
    const newest = Math.max(0, ...columns.keys());
    for (const one of found) columns.set(one.t, one);
    if (newest && found.length && found[0].t > newest + 1) fetchAll();
    const oldest = found.length ? found[found.length - 1].t - SPAN_S - 60 : 0;
    for (const at of columns.keys()) if (at < oldest) columns.delete(at);
  }
}

function legend() {
  const item = (name, text) => h("span", { class: "key" }, h("i", { class: `swatch ${name}`, "aria-hidden": "true" }), text);
  return h("div", { class: "legend" }, item("bids", "bids"), item("asks", "asks"), item("prints", "trades"), item("gap", "gap: lost"), item("unseen", "no slot, or not sampled"));
}

// Where prices lie: where the best were, and as far about them as some levels usually reach, so that
// orders far off and a trade that was reported late do not squeeze the rest.
function range(shown) {
  const sorted = (values) => values.filter((one) => one !== undefined).sort((a, b) => a - b);
  const at = (side, share) => side[Math.min(side.length - 1, Math.floor(side.length * share))];
  const books = (side) => shown.map((one) => one[side]).filter((one) => one.length);
  const best = sorted([...books("b"), ...books("a")].map((one) => one[0][0]));
  const traded = sorted(shown.flatMap((one) => (one.x || []).map(([price]) => price)));
  const ends = sorted([at(best, 0.01), at(best, 0.99), at(traded, 0.1), at(traded, 0.9)]);
  if (!ends.length) return null;
  const reach = sorted([...books("b"), ...books("a")].map((one) => Math.abs(one[Math.min(NEAR, one.length - 1)][0] - one[0][0])));
  const spare = Math.max((at(reach, 0.5) || 0) * 2, 0.02);
  // In steps, so that the picture is not made anew for every cent.
  const step = 10 ** Math.floor(Math.log10(spare)) * 2;
  return [Math.floor((ends[0] - spare) / step) * step, Math.ceil((ends[ends.length - 1] + spare) / step) * step];
}

function draw(canvas, columns, state, now) {
  const above = canvas.getBoundingClientRect().top + window.scrollY;
  const tall = Math.max(320, Math.min(620, window.innerHeight - above - 70));
  const made = surface(canvas, window.innerWidth < 760 ? 380 : tall);
  if (!made) return;
  const { pen, width, height } = made;
  const shown = [...columns.values()].filter((one) => one.t * 1000 > now - SPAN_S * 1000);
  const prices = range(shown);
  const box = { left: 0, right: width - AXIS, bottom: height - FOOT };
  const x = (ms) => box.right - ((now - ms) / 1000 / SPAN_S) * box.right;
  pen.fillStyle = hatch(pen, colour("panel"), colour("hatch"));
  pen.fillRect(0, 0, box.right, box.bottom);
  state.shape = null;
  if (prices) {
    const y = (at) => box.bottom - ((at - prices[0]) / (prices[1] - prices[0])) * box.bottom;
    state.shape = { ...box, prices, now };
    const newest = Math.floor(now / 1000);
    state.layer = layer(state.layer, shown, { prices, tall: box.bottom, newest, y });
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, box.right, box.bottom);
    pen.clip();
    pen.imageSmoothingEnabled = false;
    pen.drawImage(state.layer.canvas, x((newest - SPAN_S + 1) * 1000), 0, box.right, box.bottom);
    prints(pen, shown, x, y);
    pen.restore();
    const live = shown.filter((one) => one.b.length || one.a.length);
    axis(pen, prices, y, box, width, live[live.length - 1]);
  } else {
    pen.fillStyle = colour("muted");
    pen.font = "13px system-ui, sans-serif";
    pen.fillText("nothing was sampled yet: its turn comes", 16, 28);
  }
  gaps(pen, state.gaps, x, box);
  times(pen, now, x, box, height);
}

// The levels, a pixel a second: moved on by what is new, and made anew where prices or size changed.
function layer(before, shown, wanted) {
  const scale = window.devicePixelRatio || 1;
  const key = `${wanted.prices} ${wanted.tall} ${scale} ${document.documentElement.dataset.theme}`;
  if (before && before.key === key && before.newest <= wanted.newest) {
    const moved = wanted.newest - before.newest;
    const pen = before.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.globalCompositeOperation = "copy";
    pen.drawImage(before.canvas, -moved, 0);
    pen.globalCompositeOperation = "source-over";
    pen.setTransform(1, 0, 0, scale, 0, 0);
    // The newest of before may have come only by half.
    levels(pen, shown.filter((one) => one.t > before.newest - NEWEST), wanted, before.most);
    return { ...before, newest: wanted.newest };
  }
  const canvas = document.createElement("canvas");
  canvas.width = SPAN_S;
  canvas.height = Math.max(1, Math.round(wanted.tall * scale));
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, scale, 0, 0);
  let most = 1;
  for (const one of shown) for (const side of [one.b, one.a]) for (const [, size] of side) if (size > most) most = size;
  levels(pen, shown, wanted, most);
  return { canvas, key, newest: wanted.newest, most };
}

function levels(pen, shown, { prices, tall, newest, y }, most) {
  const high = Math.max(1.5, (tall * 0.01) / (prices[1] - prices[0]));
  const scale = Math.log1p(most);
  const ground = colour("bg");
  const sides = [["b", colour("bid")], ["a", colour("ask")]];
  for (const one of shown) {
    const left = SPAN_S - 1 - (newest - one.t);
    if (!one.b.length && !one.a.length) continue;
    pen.globalAlpha = 1;
    pen.fillStyle = ground;
    pen.fillRect(left, 0, 1, tall);
    for (const [side, name] of sides) {
      pen.fillStyle = name;
      for (const [at, size] of one[side]) {
        const step = Math.min(STEPS - 1, Math.floor((Math.log1p(size) / scale) ** 1.6 * STEPS));
        pen.globalAlpha = 0.1 + (0.9 * (step + 1)) / STEPS;
        pen.fillRect(left, y(at) - high / 2, 1, high);
      }
    }
  }
  pen.globalAlpha = 1;
}

// The largest of each second, in two paths: one for all that is filled, one for the outlines.
function prints(pen, shown, x, y) {
  pen.beginPath();
  for (const one of shown) {
    const largest = (one.x || []).length > PRINTS ? [...one.x].sort((first, second) => second[1] - first[1]).slice(0, PRINTS) : one.x || [];
    for (const [at, size] of largest) {
      const radius = Math.min(4, 0.8 + Math.sqrt(size) / 24);
      const middle = x(one.t * 1000 + 500);
      pen.moveTo(middle + radius, y(at));
      pen.arc(middle, y(at), radius, 0, 7);
    }
  }
  pen.strokeStyle = colour("bg");
  pen.lineWidth = 1.6;
  pen.stroke();
  pen.fillStyle = colour("text");
  pen.fill();
}

function gaps(pen, found, x, box) {
  pen.font = "11px system-ui, sans-serif";
  for (const one of found) {
    const from = Math.max(0, x(one.from_ms));
    const to = Math.min(box.right, Math.max(x(one.to_ms), from + 2));
    if (to <= 0) continue;
    pen.globalAlpha = 0.5;
    pen.fillStyle = colour("gap");
    pen.fillRect(from, 0, to - from, box.bottom);
    pen.globalAlpha = 1;
    pen.fillStyle = colour("text");
    if (to - from > 26) pen.fillText("gap", from + 4, 13);
  }
}

function axis(pen, prices, y, box, width, newest) {
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  const rough = (prices[1] - prices[0]) / 9;
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((one) => one >= rough) || 200;
  pen.strokeStyle = colour("line");
  pen.lineWidth = 1;
  for (let at = Math.ceil(prices[0] / step) * step; at < prices[1]; at += step) {
    pen.globalAlpha = 0.6;
    pen.beginPath();
    pen.moveTo(0, Math.round(y(at)) + 0.5);
    pen.lineTo(box.right, Math.round(y(at)) + 0.5);
    pen.stroke();
    pen.globalAlpha = 1;
    pen.fillStyle = colour("muted");
    pen.fillText(at.toFixed(2), box.right + 7, y(at));
  }
  for (const [side, name] of newest ? [["b", "bid"], ["a", "ask"]] : []) {
    if (!newest[side].length) continue;
    const at = newest[side][0][0];
    pen.fillStyle = colour("panel");
    const line = y(at) + (side === "b" ? 7 : -7);
    pen.fillRect(box.right + 2, line - 8, width - box.right - 2, 16);
    pen.fillStyle = colour(name);
    pen.font = "600 11px system-ui, sans-serif";
    pen.fillText(price(at), box.right + 7, line);
  }
}

function times(pen, now, x, box, height) {
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "alphabetic";
  pen.textAlign = "center";
  pen.fillStyle = colour("muted");
  const every = box.right < 500 ? 180 : 60;
  for (let at = Math.ceil((now / 1000 - SPAN_S) / every) * every; at * 1000 < now; at += every) {
    const place = x(at * 1000);
    if (place > 22 && place < box.right - 18) pen.fillText(clock(at * 1000).slice(0, 5), place, height - 6);
  }
  pen.textAlign = "start";
}

function at(event, state) {
  const box = event.target.getBoundingClientRect();
  const shape = state.shape;
  const [left, top] = [event.clientX - box.left, event.clientY - box.top];
  if (!shape || left > shape.right || top > shape.bottom) return null;
  return {
    second: Math.floor(shape.now / 1000 - (1 - left / shape.right) * SPAN_S),
    price: shape.prices[0] + (1 - top / shape.bottom) * (shape.prices[1] - shape.prices[0]),
  };
}

function point(event, state, columns) {
  const place = at(event, state);
  if (!place) return hideTip();
  const one = columns.get(place.second);
  const lines = [`${clock(place.second * 1000)}   ${place.price.toFixed(2)}`];
  if (!one) lines.push("not sampled");
  else if (!one.b.length && !one.a.length) lines.push("no depth slot");
  else {
    const near = [...one.b.map((row) => ["bid", ...row]), ...one.a.map((row) => ["ask", ...row])]
      .sort((first, second) => Math.abs(first[1] - place.price) - Math.abs(second[1] - place.price))[0];
    lines.push(`${near[0]} ${price(near[1])}: ${count(near[2])} shares`);
  }
  const traded = one && one.x ? one.x.reduce((sum, [, size]) => sum + size, 0) : 0;
  if (traded) lines.push(`${count(traded)} shares traded`);
  showTipAt(event.clientX, event.clientY, lines.join("\n"));
}

function tell(canvas, words, columns, state, symbol, now) {
  const shown = [...columns.values()].filter((one) => one.t * 1000 > now - SPAN_S * 1000);
  const live = shown.filter((one) => one.b.length || one.a.length);
  const newest = live[live.length - 1];
  const best = newest && newest.b.length && newest.a.length ? `, last seen at ${price(newest.b[0][0])} to ${price(newest.a[0][0])}` : "";
  const line = `${shown.length} of ${SPAN_S} seconds sampled, depth live in ${live.length} of them, ${state.gaps.length ? `${state.gaps.length} gaps` : "no gaps"}${best}`;
  say(words, line);
  canvas.setAttribute("aria-label", `Depth of ${symbol} over ten minutes: ${line}`);
}
