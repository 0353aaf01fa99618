// Building DOM nodes. Text only ever becomes text nodes: nothing here parses HTML.

const AS_PROPERTY = new Set(["value", "checked", "disabled", "hidden", "open", "selected"]);

// An element. `props`: attributes, `class`, `data` (dataset), `on` (event → listener).
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") node.className = value;
  else if (name === "data") Object.assign(node.dataset, value);
  else if (name === "on") Object.entries(value).forEach(([type, listener]) => node.addEventListener(type, listener));
  else if (AS_PROPERTY.has(name)) node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

const SVG = "http://www.w3.org/2000/svg";

// A 20×20 line icon from path data.
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  Object.entries({ viewBox: "0 0 20 20", width: "20", height: "20", "aria-hidden": "true", class: "icon" })
    .forEach(([name, value]) => svg.setAttribute(name, value));
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  menu: "M3 5h14M3 10h14M3 15h14",
  close: "M5 5l10 10M15 5L5 15",
  send: "M3 10l14-6-5 13-3-5-6-2zM9 12l8-8",
  attach: "M14 8l-5 5a2 2 0 0 1-3-3l6-6a3.2 3.2 0 0 1 5 4l-7 7a5 5 0 0 1-7-7l5-5",
  wire: "M3 6h9l-3-3M17 14H8l3 3",
  theme: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M10 14.5v.01",
  thread: "M3 4h14v9H9l-4 3v-3H3z",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  more: "M4.9 9.8h.3v.4h-.3zM9.9 9.8h.3v.4h-.3zM14.9 9.8h.3v.4h-.3z",
};

// Make `parent` hold one node for each item, keeping the nodes of items that haven't changed.
// `key` names an item, `version` is a string that changes when it has to be drawn anew.
export function reconcile(parent, items, { key, version, draw }) {
  const before = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const old = before.get(key(item));
    const node = drawn(old, item, { key, version, draw });
    before.delete(key(item));
    if (old === next) next = node;
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  before.forEach(removeKeepingFocus);
}

// Whoever had the focus inside what goes has it on the neighbour.
function removeKeepingFocus(node) {
  const near = node.contains(document.activeElement) ? node.previousElementSibling ?? node.nextElementSibling : null;
  node.remove();
  near?.focus({ preventScroll: true });
}

function drawn(old, item, { key, version, draw }) {
  const wanted = version(item);
  if (old && old.dataset.version === wanted) return old;
  const node = draw(item);
  node.dataset.key = key(item);
  node.dataset.version = wanted;
  if (old) replaceKeepingFocus(old, node);
  return node;
}

// Whoever had the focus inside keeps it on the same control (`data-focus`), or on the whole.
export function replaceKeepingFocus(old, node) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  if (!focused) {
    old.replaceWith(node);
    return;
  }
  old.replaceWith(node);
  (sameIn(node, focused) ?? node).focus({ preventScroll: true });
}

// Fill `parent` anew; a control in it that had the focus has it again, or else the parent.
export function refill(parent, ...children) {
  const focused = parent.contains(document.activeElement) && document.activeElement !== parent ? document.activeElement : null;
  parent.replaceChildren(...children);
  if (!focused) return;
  const same = sameIn(parent, focused);
  (same ?? parent).focus({ preventScroll: true });
  if (same && focused.selectionStart != null) same.setSelectionRange(focused.selectionStart, focused.selectionEnd);
}

// The control that `focused` was before: of the same block, or at least of the same action.
function sameIn(node, { dataset }) {
  const named = (key) => dataset[key] && [...node.querySelectorAll(`[data-${key}]`)].find((each) => each.dataset[key] === dataset[key]);
  return named("focus") || named("action");
}
