// Interactive elements in messages and views: what is pressed goes to the bot at once.

import { click, isPending, pendingId } from "./api.js";
import { control, isControl, plainValue } from "./controls.js";
import { h, icon, ICONS } from "./dom.js";
import { thumbnail } from "./image.js";
import { ask, box, menu } from "./overlay.js";
import { openLink } from "./route.js";
import { store } from "./store.js";
import { textNodes, words } from "./text.js";

export function element(target, block, each) {
  if (each.type === "button") return button(target, block, each);
  if (each.type === "overflow") return overflow(target, block, each);
  if (each.type === "image") return thumbnail(each);
  if (isControl(each)) return chooser(target, block, each);
  return null;
}

const focusName = (block, each) => `${block.block_id}/${each.action_id}`;

function button(target, block, each) {
  const pending = isPending(target, block, each);
  const node = h("button", {
    type: "button", class: `button ${each.style ?? ""}`, "aria-disabled": pending ? "true" : null,
    "aria-label": each.accessibility_label, data: { focus: focusName(block, each), action: each.action_id },
    on: { click: () => pending || press(target, block, each) },
  }, words(each.text), pending ? h("span", { class: "spinner" }, h("span", { class: "sr" }, "sending")) : null);
  return node;
}

async function press(target, block, each, value) {
  if (each.url) openLink(each.url);
  if (!each.confirm || (await confirmed(each.confirm))) await click(target, block, each, value);
}

async function confirmed(confirm) {
  const style = confirm.style === "danger" ? "danger" : "primary";
  const buttons = [[words(confirm.deny), "no", ""], [words(confirm.confirm), "yes", style]];
  return (await ask(box(words(confirm.title), h("p", {}, textNodes(confirm.text)), buttons))) === "yes";
}

function overflow(target, block, each) {
  const node = h("button", { type: "button", class: "button", "aria-label": "More actions", "aria-haspopup": "menu",
    "aria-expanded": "false", "aria-disabled": isPending(target, block, each) ? "true" : null,
    data: { focus: focusName(block, each), action: each.action_id } }, icon(ICONS.more));
  const choose = (option) => press(target, block, { ...each, url: option.url }, option.value);
  const items = each.options.map((option) => [words(option.text), () => choose(option)]);
  node.addEventListener("click", () => menu(node, items));
  return node;
}

// What is chosen stays chosen until the bot changes the message or view.
function chooser(target, block, each) {
  const id = `${pendingId(target, block, each)}/${target.hash ?? target.edits}`;
  const initial = each.initial_option ?? each.initial_options ?? each.initial_value ?? null;
  const now = store.chosen.get(id) ?? plainValue(target.state?.[block.block_id]?.[each.action_id] ?? { initial });
  const label = [block.text && textOf(block.text), words(each.placeholder)].filter(Boolean).join(": ") ||
    words(each.initial_option?.text) || "Options";
  const choose = (wanted) => {
    if (wanted === null) return;
    store.chosen.set(id, wanted);
    press(target, block, each, wanted);
  };
  return control(each, now, choose, { "aria-label": label, "aria-busy": isPending(target, block, each) ? "true" : null,
    data: { focus: focusName(block, each), action: each.action_id } });
}

const textOf = (object) => h("span", {}, textNodes(object)).textContent.trim();
