// Elements without markup in strings: what comes from Redis is text and never anything else.

const SVG = "http://www.w3.org/2000/svg";

export function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function s(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return element;
}

// Writes only what changed: an unchanged text costs no layout.
export function say(element, text) {
  const line = String(text);
  if (element.textContent !== line) element.textContent = line;
}

export function mark(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// A canvas as wide as its place, sharp on every screen; null while it has no place.
export function surface(canvas, height) {
  const width = canvas.parentElement ? canvas.parentElement.clientWidth : 0;
  if (!width) return null;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

export function hatch(pen, back, lines) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const draw = tile.getContext("2d");
  draw.fillStyle = back;
  draw.fillRect(0, 0, 8, 8);
  draw.strokeStyle = lines;
  draw.lineWidth = 1.4;
  for (const at of [-8, 0, 8]) {
    draw.moveTo(at, 8);
    draw.lineTo(at + 8, 0);
  }
  draw.stroke();
  return pen.createPattern(tile, "repeat");
}

// Keyed rows: kept, moved and filled, so that nothing flickers and focus stays.
export function rows(body, items, key, make, fill) {
  const kept = new Map([...body.children].map((row) => [row.dataset.key, row]));
  items.forEach((item, at) => {
    const name = String(key(item, at));
    let row = kept.get(name);
    if (row) kept.delete(name);
    else {
      row = make(item);
      row.dataset.key = name;
    }
    fill(row, item, at);
    if (body.children[at] !== row) body.insertBefore(row, body.children[at] || null);
  });
  for (const row of kept.values()) row.remove();
}
