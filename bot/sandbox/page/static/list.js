// A list of messages that stays at its end, with days, a line above what is new, and arrow keys.

import { h, reconcile } from "./dom.js";
import { drawMessage } from "./message.js";
import { message as find, replies, store } from "./store.js";
import { day } from "./time.js";
import { unreadReplies } from "./unread.js";

const NEAR = 120;
const JOIN_SECONDS = 300;

// Draw `messages` into `list`, an <ol> inside its scroller. `newAfter`: ts above the "New" line.
export function drawList(list, messages, { place, newAfter = Infinity, force = false }) {
  const scroller = list.parentElement;
  if (force) scroller.dataset.atEnd = "yes";
  reconcile(list, rows(messages, place, newAfter), { key: (row) => row.key, version: (row) => row.version, draw: (row) => row.draw() });
  toEnd(scroller);
  drawPill(scroller, messages);
}

// Show the end, and stay there: whoever sends something wants to see it.
export function goToEnd(scroller) {
  scroller.dataset.atEnd = "yes";
  toEnd(scroller);
}

// A button at the lower edge that tells of messages below, for whoever reads further up.
function drawPill(scroller, messages) {
  const last = messages.at(-1)?.ts ?? "0";
  if (scroller.dataset.atEnd) scroller.dataset.seen = last;
  const below = messages.filter((each) => Number(each.ts) > Number(scroller.dataset.seen)).length;
  const words = `${below} new ${below === 1 ? "message" : "messages"}`;
  const pill = scroller.querySelector(".pill") ?? addPill(scroller);
  pill.hidden = !below;
  if (pill.textContent !== words) pill.textContent = words;
}

function addPill(scroller) {
  const pill = h("button", { type: "button", class: "pill", hidden: true, on: { click: () => {
    goToEnd(scroller);
    scroller.focus();
  } } });
  scroller.append(h("div", { class: "pill-place" }, pill));
  return pill;
}

function toEnd(scroller) {
  if (scroller.dataset.atEnd) scroller.scrollTop = scroller.scrollHeight;
}

// Whoever reads the end stays there, whatever comes and however the window changes.
export function stayAtEnd(scroller) {
  scroller.dataset.atEnd = "yes";
  scroller.addEventListener("scroll", () => {
    const near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
    if (scroller.clientHeight) scroller.dataset.atEnd = near ? "yes" : "";
    if (near) scroller.querySelector(".pill")?.setAttribute("hidden", "");
  });
  const observer = new ResizeObserver(() => toEnd(scroller));
  [scroller, ...scroller.children].forEach((node) => observer.observe(node));
}

function rows(messages, place, newAfter) {
  const found = [];
  let above = null;
  let fresh = false;
  for (const message of messages) {
    if (place === "thread" && above === messages[0]) found.push(line(counted(messages), "day"));
    if (place === "channel" && day(message.ts) !== (above && day(above.ts))) found.push(line(day(message.ts), "day"));
    if (!fresh && Number(message.ts) > newAfter && message.user !== store.me) {
      found.push(line("New", "new"));
      fresh = true;
    }
    const joined = continues(message, above) && !(place === "thread" && above === messages[0]);
    found.push({ key: message.ts, version: version(message, place, joined), draw: () => drawMessage(message, place, joined) });
    above = message;
  }
  return found;
}

// Of a thread, root first.
function counted(messages) {
  const count = messages.slice(1).filter((message) => !message.ephemeral_to).length;
  return `${count} ${count === 1 ? "reply" : "replies"}`;
}

const line = (words, kind) => ({ key: `${kind} ${words}`, version: words, draw: () =>
  h("li", { class: `line ${kind}` }, h("span", {}, words)) });

const continues = (message, above) =>
  Boolean(above) && above.user === message.user && !message.ephemeral_to && !above.ephemeral_to &&
  above.subtype === message.subtype && !message.subtype && Number(message.ts) - Number(above.ts) < JOIN_SECONDS;

function version(message, place, joined) {
  const pending = [...store.pending].filter((id) => id.startsWith(`${message.channel}/${message.ts}/`));
  const thread = place === "channel"
    ? [replies(message.channel, message.ts).map((each) => each.ts), unreadReplies(message.channel, message.ts)] : [];
  const root = message.subtype === "thread_broadcast" ? find(message.channel, message.thread_ts) : null; // it is named
  return JSON.stringify([message, pending, thread, joined, store.users.size, root && [root.text, root.blocks]]);
}

const ACTIONS = { t: "reply", m: "more" };

// ↑ and ↓ walk from message to message, Home and End to the first and last; T opens the thread of
// the one with the focus, M its menu.
export function walkWithArrows(scroller) {
  scroller.addEventListener("keydown", (event) => {
    const all = [...scroller.querySelectorAll(".message")];
    const at = all.indexOf(document.activeElement);
    if (!all.length || (at < 0 && event.target !== scroller)) return;
    if (at >= 0 && event.key in ACTIONS && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      all[at].querySelector(`.tools [data-focus="${ACTIONS[event.key]}"]`)?.click();
    }
    const wanted = { ArrowDown: at < 0 ? all.length - 1 : at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1,
      Home: 0, End: all.length - 1 }[event.key];
    if (wanted === undefined || !all[wanted]) return;
    event.preventDefault();
    all[wanted].focus();
  });
}
