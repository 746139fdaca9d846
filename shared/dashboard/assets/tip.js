// One tip for all: shown on hover and on focus, told to screen readers by aria-describedby.

import { mark, say } from "/assets/dom.js";

const tip = document.getElementById("tip");
let owner = null;

export function showTip(element, text) {
  if (owner && owner !== element) mark(owner, "aria-describedby", null);
  owner = element;
  mark(element, "aria-describedby", "tip");
  say(tip, text);
  tip.hidden = false;
  const box = element.getBoundingClientRect();
  place(box.left + box.width / 2, box.bottom + 6, box.top);
}

export function showTipAt(x, y, text) {
  say(tip, text);
  tip.hidden = false;
  place(x, y + 14, y);
}

function place(middle, below, top) {
  const { offsetWidth: width, offsetHeight: height } = tip;
  const left = Math.min(Math.max(6, middle - width / 2), innerWidth - width - 6);
  const under = below + height < innerHeight ? below : top - height - 6;
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.max(6, under)}px`;
}

export function hideTip(element = owner) {
  if (element !== owner) return;
  if (owner) mark(owner, "aria-describedby", null);
  owner = null;
  tip.hidden = true;
}

export const tipOwner = () => owner;
