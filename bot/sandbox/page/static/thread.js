// The side panel with one thread.

import { composer } from "./composer.js";
import { h } from "./dom.js";
import { drawList } from "./list.js";
import { channel, closeThread, parse, thread } from "./route.js";
import { message, replies, store } from "./store.js";
import { markRead, readUpTo } from "./unread.js";

const part = (id) => document.getElementById(id);
let open = "";
let newAfter = Infinity;
let jumped = "";

export function drawThread() {
  const now = channel();
  const ts = thread();
  const root = now && ts ? message(now.id, ts) : null;
  const focused = part("thread").contains(document.activeElement) || document.activeElement === document.body;
  part("thread").hidden = !root;
  document.body.classList.toggle("with-thread", Boolean(root));
  if (!root) return leave(focused);
  const changed = open !== `${store.me}/${now.id}/${ts}`;
  if (changed) enter(now, ts);
  drawList(part("replies"), [root, ...replies(now.id, ts)], { place: "thread", newAfter, force: changed });
  jump();
  if (document.visibilityState === "visible") markRead(now.id, ts);
}

// To the reply that a link leads to, once.
function jump() {
  const { reply } = parse();
  if (jumped === location.hash) return;
  const found = reply && part("replies").querySelector(`[data-ts="${CSS.escape(reply)}"]`);
  if (reply && !found) return;
  jumped = location.hash;
  if (!found) return;
  part("replies-scroller").dataset.atEnd = "";
  found.scrollIntoView({ block: "center" });
  found.focus();
}

function enter(now, ts) {
  open = `${store.me}/${now.id}/${ts}`;
  newAfter = readUpTo(now.id, ts) || Infinity;
  part("thread-place").textContent = now.user ? "imagine" : `#${now.name}`;
  part("replies").replaceChildren();
  part("thread-composer").replaceChildren(composer(now, ts));
  part("thread-title").focus();
}

// The focus goes back to the bar that opened the thread, unless somebody is at work elsewhere.
function leave(focused) {
  const ts = open.split("/")[2];
  open = "";
  if (!ts || !focused) return;
  const root = part("timeline").querySelector(`[data-ts="${CSS.escape(ts)}"]`);
  (root?.querySelector('[data-focus="replies"]') ?? root ?? part("composer"))?.focus();
}

export const closeOnEscape = (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || !thread() || document.querySelector("dialog[open], .menu")) return;
  closeThread();
};

export const fillThreadHead = (node, button) => node.append(h("div", {}, h("h2", { id: "thread-title", tabindex: "-1" }, "Thread"),
  h("span", { class: "quiet", id: "thread-place" })), button);
