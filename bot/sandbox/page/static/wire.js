// The wire: commands, clicks and their acks; API calls; jobs, stages and the bot's own log.

import { h, reconcile } from "./dom.js";
import { store } from "./store.js";
import { exactClock } from "./time.js";

const KINDS = { all: "All", ack: "People → bot", api_call: "Bot → Slack", note: "Inside the bot" };
let shown = "all";

const part = (id) => document.getElementById(id);
const kindOf = (entry) => (["ack", "api_call"].includes(entry.type) ? entry.type : "note");

export function toggleWire() {
  const open = part("wire").hidden;
  part("wire").hidden = !open;
  part("wire-toggle").setAttribute("aria-expanded", String(open));
  sessionStorage.setItem("wire", open ? "open" : "");
  drawWire();
  if (open) part("wire-title").focus();
}

export function restoreWire() {
  if (sessionStorage.getItem("wire")) toggleWire();
}

export function drawWire() {
  if (part("wire").hidden) return;
  drawFilters();
  const list = part("wire-list");
  const scroller = list.parentElement;
  const entries = store.wire.filter((entry) => shown === "all" || kindOf(entry) === shown);
  reconcile(list, entries, { key: (entry) => String(entry.seq), version: () => "1", draw });
  if (scroller.dataset.atEnd) scroller.scrollTop = scroller.scrollHeight;
}

function drawFilters() {
  const node = part("wire-filters");
  if (node.dataset.version === shown) return;
  node.dataset.version = shown;
  const focused = node.contains(document.activeElement);
  node.replaceChildren(...Object.entries(KINDS).map(([kind, label]) =>
    h("button", { type: "button", "aria-pressed": String(kind === shown), on: { click: () => choose(kind) } }, label)));
  if (focused) node.querySelector('[aria-pressed="true"]').focus();
}

function choose(kind) {
  shown = kind;
  drawWire();
}

function draw(entry) {
  const { label, what, result, bad, more } = describe(entry);
  const line = [h("time", {}, exactClock(entry.at)), h("span", { class: `kind ${label}` }, label),
    h("span", { class: "what" }, what), h("span", { class: `result ${bad ? "bad" : ""}` }, result)];
  if (!more) return h("li", { class: "entry" }, h("div", { class: "line" }, line));
  const pre = h("pre", { tabindex: "0", "aria-label": `What ${what} sent` });
  const details = h("details", {}, h("summary", { class: "line" }, line), pre);
  details.addEventListener("toggle", () => { pre.textContent = JSON.stringify(more, null, 2); }, { once: true });
  return h("li", { class: "entry" }, details);
}

function describe(entry) {
  const bad = entry.ok === false;
  switch (entry.type) {
    case "ack":
      return { label: "ack", what: entry.what, bad, more: entry.payload, result: `${bad ? entry.error : "acked"} · ${entry.ms} ms` };
    case "api_call":
      return { label: "api", what: entry.method, bad, more: entry.args,
        result: `${bad ? entry.error ?? `HTTP ${entry.status}` : "ok"} · ${entry.ms} ms` };
    case "sockets":
      return { label: "socket", what: "Socket Mode connections", result: `${entry.count} open`, bad: !entry.count };
    case "violation":
      return { label: "problem", what: entry.what, result: "Slack would refuse this", bad: true };
    default:
      return { label: entry.kind, what: shortened(entry.text), result: "", bad: entry.details.bad,
        more: Object.keys(entry.details).length ? entry.details : null };
  }
}

// Session ids are team.user.token: the token's first letters tell them apart.
const shortened = (text) => text.replace(/\b[TE]\w+\.[UW]\w+\.([0-9a-f]{8})[0-9a-f]+/g, "$1");
