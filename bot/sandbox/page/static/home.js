// The bot's Home tab.

import { act, TROUBLE } from "./api.js";
import { blocks } from "./blocks.js";
import { h, refill } from "./dom.js";
import { Form, inputBlock } from "./fields.js";
import { store } from "./store.js";

let asked = "";
let form = null;

// The bot hears of each visit, as soon as it is there.
export function visitHome(visiting) {
  if (visiting && !store.sockets) return;
  if (visiting && asked !== store.me) act("home", {});
  asked = visiting ? store.me : "";
}

export function drawHome(node) {
  const version = JSON.stringify([store.home, [...store.pending], store.failed, store.messages.size]);
  if (node.dataset.version === version) return;
  node.dataset.version = version;
  if (!store.home) {
    node.replaceChildren(h("p", { class: "quiet" }, "The bot has put nothing here yet."));
    return;
  }
  form = new Form(store.home, form);
  const failed = store.failed === store.home.hash;
  refill(node, h("div", { class: "home" },
    failed ? h("p", { class: "error banner", role: "alert" }, TROUBLE) : null,
    blocks(store.home.blocks, store.home, { input: (block) => inputBlock(block, form) })));
}
