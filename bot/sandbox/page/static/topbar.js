// Who one is, how the bot is, and the page's own switches.

import { avatar } from "./avatar.js";
import { h } from "./dom.js";
import { go, parse } from "./route.js";
import { people, store } from "./store.js";

export function drawPeople(node) {
  node.replaceChildren(...people().map((user) =>
    h("button", { type: "button", "aria-pressed": String(user.id === store.me), class: "person",
      data: { focus: user.id }, on: { click: () => become(user) } },
      avatar(user.id), h("span", {}, user.real_name || user.name))));
}

// The same channel, through other eyes; their own thread stays open, a conversation is their own.
export const become = (user) => go({ person: user.name, place: parse().place, detail: parse().detail });

export function drawStatus(node) {
  const [kind, words] = !store.connected ? ["off", "Reconnecting…"]
    : store.sockets ? ["on", "Bot connected"] : ["off", "Bot not connected"];
  if (node.textContent === words) return;
  node.className = `status ${kind}`;
  node.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, words));
}
