// Puts the page together: changes and the address come in, every part draws what it shows of them.

import { announceMessage } from "./announce.js";
import { listenToDrops } from "./attachments.js";
import { drawChannel } from "./channel.js";
import { icon, ICONS } from "./dom.js";
import { follow } from "./feed.js";
import { listenToKeys, showHelp } from "./keys.js";
import { stayAtEnd, walkWithArrows } from "./list.js";
import { drawModal } from "./modal.js";
import { closeButton } from "./overlay.js";
import { closeThread, parse } from "./route.js";
import { drawSidebar } from "./sidebar.js";
import { onChange, store } from "./store.js";
import { drawThread, fillThreadHead } from "./thread.js";
import { drawPeople, drawQuestion, drawStatus } from "./topbar.js";
import { drawWire, restoreWire, toggleWire } from "./wire.js";

const part = (id) => document.getElementById(id);
let waiting = false;
let pressed = false;
let wireAlone = true; // most of what comes is shown nowhere else

function draw() {
  waiting = false;
  if (pressed) return; // a control that is replaced between press and release would miss its click
  if (!wireAlone) drawParts();
  wireAlone = true;
  drawWire();
}

function drawParts() {
  drawStatus(part("status"));
  part("offline").hidden = store.connected || store.fresh;
  if (store.fresh) return;
  drawQuestion(part("question"));
  keepingFocus(part("people"), drawPeople);
  drawThread(); // before the channel, which then knows that its replies have been read
  drawChannel();
  keepingFocus(part("sidebar-list"), drawSidebar);
  drawModal();
}

function drawSoon() {
  wireAlone = false;
  drawLater();
}

function drawLater() {
  if (waiting) return;
  waiting = true;
  setTimeout(draw);
}

const LONGEST_PRESS = 10000; // milliseconds

function watchPointer() {
  let giveUp = 0;
  const released = () => {
    clearTimeout(giveUp);
    pressed = false;
    drawSoon();
  };
  addEventListener("pointerdown", (event) => {
    if (!event.target.closest?.("button, a, summary, [role=button]")) return;
    pressed = true;
    giveUp = setTimeout(released, LONGEST_PRESS);
  }, true);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, released, true);
}

function keepingFocus(node, redraw) {
  const name = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  redraw(node);
  if (name) node.querySelector(`[data-focus="${CSS.escape(name)}"]`)?.focus();
}

function arrive() {
  document.body.classList.remove("with-sidebar");
  part("menu-toggle").setAttribute("aria-expanded", "false");
  follow();
  drawSoon();
}

let place = "";

// Whoever goes to another channel wants to write there; a thread takes the focus by itself.
function focusComposer() {
  const now = `${parse().person}/${parse().place}`;
  if (place && place !== now && !parse().detail && matchMedia("(min-width: 720px)").matches) {
    setTimeout(() => document.activeElement.closest("#people, dialog") || part("composer")?.focus(), 50);
  }
  place = now;
}

function toggleSidebar() {
  const open = document.body.classList.toggle("with-sidebar");
  part("menu-toggle").setAttribute("aria-expanded", String(open));
  if (open) part("sidebar").querySelector("[aria-current]")?.focus();
}

function furnish() {
  const buttons = { "menu-toggle": [ICONS.menu, toggleSidebar], "wire-toggle": [ICONS.wire, toggleWire],
    "help-toggle": [ICONS.help, showHelp], "theme-toggle": [ICONS.theme, () => {}] };
  for (const [id, [shape, onClick]] of Object.entries(buttons)) {
    part(id).prepend(icon(shape));
    part(id).addEventListener("click", onClick);
  }
  fillThreadHead(part("thread-head"), closeButton("Close the thread", closeThread));
  part("wire-head").append(closeButton("Close the wire", toggleWire));
  [part("messages"), part("replies-scroller")].forEach(walkWithArrows);
  [part("messages"), part("replies-scroller"), part("wire-scroller")].forEach(stayAtEnd);
  part("skip").addEventListener("click", () => part("composer")?.focus());
  part("scrim").addEventListener("click", toggleSidebar);
}

furnish();
restoreWire();
listenToKeys();
listenToDrops();
watchPointer();
onChange((change) => {
  announceMessage(change);
  if (change.type === "wire" && change.entry.type !== "sockets") drawLater();
  else drawSoon();
});
addEventListener("hashchange", () => { focusComposer(); arrive(); });
document.addEventListener("visibilitychange", drawSoon);
focusComposer();
arrive();
