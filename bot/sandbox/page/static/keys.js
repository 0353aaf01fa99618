// Keyboard shortcuts, and the dialog that lists them.

import { drawChannel } from "./channel.js";
import { h } from "./dom.js";
import { ask, box } from "./overlay.js";
import { atHome, go, parse } from "./route.js";
import { step } from "./sidebar.js";
import { closeOnEscape } from "./thread.js";
import { toggleWire } from "./wire.js";

const LIST = [
  ["/", "begin a command in the message field"],
  ["Enter", "send; with Shift a new line"],
  ["Tab", "take the suggestion"],
  ["F6", "next part of the page; with Shift the one before"],
  ["Alt + ↑ ↓", "channel above, channel below"],
  ["↑ ↓ Home End", "from message to message, when one has the focus"],
  ["T  M", "its thread, its menu"],
  ["Esc", "close the form, the image or the thread"],
  ["Ctrl + Enter", "submit the form"],
  ["Ctrl + .", "open or close the wire"],
  ["Ctrl + /", "this list"],
];
const PARTS = ["sidebar", "messages", "home", "composer", "replies-scroller", "wire-scroller"];

export function showHelp() {
  const rows = LIST.map(([keys, words]) => h("div", {}, h("dt", {}, h("kbd", {}, keys)), h("dd", {}, words)));
  ask(box("Keyboard shortcuts", h("dl", { class: "keys" }, rows), [["Close", "", "primary"]]));
}

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (beginsCommand(event)) return focusForCommand();
    const action = chosen(event);
    if (action) {
      event.preventDefault();
      action();
    } else closeOnEscape(event);
  });
}

const beginsCommand = (event) =>
  event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.matches("input, textarea, select");

// The field takes the focus while the key is still down, so that the slash is typed into it.
function focusForCommand() {
  if (atHome()) {
    go({ place: parse().place, detail: "" });
    drawChannel();
  }
  const field = document.getElementById("composer");
  field?.focus();
  field?.setSelectionRange(field.value.length, field.value.length);
}

function chosen(event) {
  const control = event.ctrlKey || event.metaKey;
  if (event.key === "F6") return () => nextPart(event.shiftKey ? -1 : 1);
  if (event.altKey && event.key === "ArrowDown") return () => step(1);
  if (event.altKey && event.key === "ArrowUp") return () => step(-1);
  if (control && event.key === "/") return showHelp;
  if (control && event.key === ".") return toggleWire;
  return null;
}

function nextPart(by) {
  const all = PARTS.map((id) => document.getElementById(id)).filter((node) => node?.checkVisibility());
  const at = all.findIndex((node) => node.contains(document.activeElement));
  const part = all[(at + by + all.length) % all.length];
  (part.querySelector("[aria-current]") ?? part).focus();
}
