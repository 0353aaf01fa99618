// The bot's Home tab.

import { act } from "./api.js";
import { blocks } from "./blocks.js";
import { h } from "./dom.js";
import { Form, inputBlock } from "./fields.js";
import { store } from "./store.js";

let asked = "";

// The bot hears of each visit.
export function visitHome(visiting) {
  if (visiting && asked !== store.me) act("home", {});
  asked = visiting ? store.me : "";
}

export function drawHome(node) {
  const version = JSON.stringify([store.home, [...store.pending]]);
  if (node.dataset.version === version) return;
  node.dataset.version = version;
  const form = store.home && new Form(store.home);
  node.replaceChildren(...(store.home
    ? blocks(store.home.blocks, store.home, { input: (block) => inputBlock(block, form) })
    : [h("p", { class: "quiet" }, "The bot has put nothing here yet.")]));
}
