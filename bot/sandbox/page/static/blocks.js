// Block Kit blocks as DOM. `target` is the message or view that they are in.

import { h } from "./dom.js";
import { element } from "./elements.js";
import { imageBlock } from "./image.js";
import { richText } from "./richtext.js";
import { markdown, textNodes, words } from "./text.js";

const DRAW = {
  section,
  header: (block, target) => h("p", { class: "heading", role: "heading", "aria-level": target.type === "home" ? "2" : "3" },
    words(block.text)),
  divider: () => h("hr"),
  image: imageBlock,
  context: (block, target) => h("div", { class: "context" }, block.elements.map((each) => fact(each, block, target))),
  actions: (block, target) => h("div", { class: "actions" }, block.elements.map((each) => element(target, block, each))),
  context_actions: (block, target) => DRAW.actions(block, target),
  rich_text: richText,
  markdown: (block) => h("div", { class: "rich" }, markdown(block.text)),
};

// `more` has drawings of further kinds of blocks, such as a form's inputs.
export function blocks(list, target, more = {}) {
  const all = { ...DRAW, ...more };
  return list.map((block) => h("div", { class: `block ${block.type}` },
    all[block.type]?.(block, target) ?? h("p", { class: "quiet" }, `(a block of the type ${block.type})`)));
}

function section(block, target) {
  const fields = (block.fields ?? []).map((field) => h("div", {}, textNodes(field)));
  return [
    h("div", { class: "words" },
      block.text ? h("div", { class: block.text.type }, textNodes(block.text)) : null,
      fields.length ? h("div", { class: "fields" }, fields) : null),
    block.accessory ? h("div", { class: "accessory" }, element(target, block, block.accessory)) : null,
  ];
}

const fact = (each, block, target) =>
  each.type === "image" ? element(target, block, each) : h("span", {}, textNodes(each));
