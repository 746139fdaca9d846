// The two charts of a chain, as SVG.

import { s } from "/assets/dom.js";
import { count, percent } from "/assets/words.js";

const TALL = 290;
const LEFT = 46;
const FOOT = 26;
const TOP = 10;
// Of the strikes, those that hold nearly all of the open interest or lie about the money.
const NEAR = 0.35;

export function smile(curves, chosen, underlying, width) {
  const found = curves.get(chosen);
  if (!found) return empty(width);
  const shown = [...curves.entries()].filter(([name]) => name !== chosen);
  const [low, high] = strikes(found, underlying);
  const inside = (curve) => curve.strikes.map((strike, at) => [strike, curve.call_iv[at], curve.put_iv[at]]).filter(([strike]) => strike >= low && strike <= high);
  const values = inside(found).flatMap(([, call, put]) => [call, put]).filter((value) => value !== null);
  if (!values.length) return empty(width);
  const [bottom, top] = [Math.max(0, Math.min(...values) * 0.9), Math.max(...values) * 1.06];
  const scale = scales(width, [low, high], [bottom, top]);
  const root = frame(width, `Implied volatility of ${chosen} by strike, ${percent(Math.min(...values), 1)} to ${percent(Math.max(...values), 1)}`);
  root.append(...grid(scale, [low, high], [bottom, top], (value) => percent(value)), money(scale, underlying));
  for (const [, curve] of shown) root.append(line(inside(curve).map(([strike, call, put]) => [strike, middle(call, put)]), scale, "other", [bottom, top]));
  const points = inside(found);
  root.append(line(points.map(([strike, call]) => [strike, call]), scale, "call"), line(points.map(([strike, , put]) => [strike, put]), scale, "put"));
  for (const [strike, call, put] of points) {
    if (call !== null) root.append(s("circle", { class: "call", cx: scale.x(strike), cy: scale.y(call), r: 2.2 }, s("title", {}, `${strike} call ${percent(call, 1)}`)));
    if (put !== null) root.append(triangle(scale.x(strike), scale.y(put), `${strike} put ${percent(put, 1)}`));
  }
  return root;
}

export function interest(found, chosen, underlying, width) {
  if (!found) return empty(width);
  const [low, high] = strikes(found, underlying);
  const points = found.strikes.map((strike, at) => [strike, found.call_oi[at] || 0, found.put_oi[at] || 0]).filter(([strike]) => strike >= low && strike <= high);
  const most = Math.max(1, ...points.flatMap(([, call, put]) => [call, put]));
  const scale = scales(width, [low, high], [-most * 1.05, most * 1.05]);
  const [calls, puts] = [1, 2].map((at) => points.reduce((sum, one) => sum + one[at], 0));
  const root = frame(width, `Open interest of ${chosen} by strike: ${count(calls)} calls, ${count(puts)} puts`);
  root.append(...grid(scale, [low, high], [-most, most], (value) => count(Math.abs(Math.round(value)))), money(scale, underlying));
  const wide = Math.max(1, Math.min(14, ((width - LEFT) / Math.max(1, points.length)) * 0.7));
  const zero = scale.y(0);
  for (const [strike, call, put] of points) {
    const left = scale.x(strike) - wide / 2;
    root.append(
      s("rect", { class: "call", x: left, width: wide, y: scale.y(call), height: Math.max(0, zero - scale.y(call)) }, s("title", {}, `${strike}: ${count(call)} calls`)),
      s("rect", { class: "put", x: left, width: wide, y: zero, height: Math.max(0, scale.y(-put) - zero) }, s("title", {}, `${strike}: ${count(put)} puts`)),
    );
  }
  root.append(s("line", { class: "zero", x1: LEFT, x2: width, y1: zero, y2: zero }));
  return root;
}

const middle = (call, put) => (call === null ? put : put === null ? call : (call + put) / 2);

function strikes(found, underlying) {
  const [first, last] = [found.strikes[0], found.strikes[found.strikes.length - 1]];
  if (!underlying) return [first, last];
  const low = Math.max(first, underlying * (1 - NEAR));
  const high = Math.min(last, underlying * (1 + NEAR));
  return low < high ? [low, high] : [first, last];
}

function scales(width, [low, high], [bottom, top]) {
  return {
    width,
    x: (at) => LEFT + 8 + ((at - low) / (high - low || 1)) * (width - LEFT - 18),
    y: (at) => TOP + (1 - (at - bottom) / (top - bottom || 1)) * (TALL - TOP - FOOT),
  };
}

function frame(width, label) {
  return s("svg", { class: "curves", width, height: TALL, viewBox: `0 0 ${width} ${TALL}`, role: "img", "aria-label": label });
}

function grid(scale, [low, high], [bottom, top], word) {
  const found = [];
  for (const at of ticks(bottom, top, 5)) {
    found.push(s("line", { class: "grid", x1: LEFT, x2: scale.width, y1: scale.y(at), y2: scale.y(at) }), s("text", { class: "axis end", x: LEFT - 6, y: scale.y(at) + 4 }, word(at)));
  }
  for (const at of ticks(low, high, scale.width < 420 ? 4 : 8)) found.push(s("text", { class: "axis mid", x: scale.x(at), y: TALL - 7 }, String(Number(at.toFixed(2)))));
  return found;
}

function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) || power * 10;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Math.abs(at) < step / 1e6 ? 0 : at);
  return found;
}

function money(scale, underlying) {
  if (!underlying) return s("g");
  const at = scale.x(underlying);
  return s("g", { class: "money" }, s("line", { x1: at, x2: at, y1: TOP, y2: TALL - FOOT }), s("text", { class: "axis", x: at + 5, y: TOP + 9 }, underlying.toFixed(2)));
}

function line(points, scale, name, limits) {
  const known = points.filter(([, value]) => value !== null && (!limits || (value >= limits[0] && value <= limits[1])));
  return s("polyline", { class: `curve ${name}`, points: known.map(([strike, value]) => `${scale.x(strike).toFixed(1)},${scale.y(value).toFixed(1)}`).join(" ") });
}

function triangle(x, y, title) {
  return s("path", { class: "put", d: `M${x} ${y - 2.8}l2.8 5h-5.6z` }, s("title", {}, title));
}

function empty(width) {
  return s("svg", { class: "curves", width, height: 60 }, s("text", { class: "axis", x: 8, y: 30 }, "nothing to draw"));
}
