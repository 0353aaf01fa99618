// Who one is, how the bot is, and the page's own switches.

import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { h } from "./dom.js";
import { go, parse } from "./route.js";
import { people, store } from "./store.js";

export function drawPeople(node) {
  const version = JSON.stringify([store.me, people().map((user) => [user.id, user.name, user.real_name])]);
  if (node.dataset.version === version) return;
  node.dataset.version = version;
  node.replaceChildren(...people().map((user) =>
    h("button", { type: "button", "aria-pressed": String(user.id === store.me), class: "person",
      data: { focus: user.id }, on: { click: () => become(user) } },
      avatar(user.id), h("span", {}, user.real_name || user.name))));
}

// The same channel, through other eyes; their own thread stays open, a conversation is their own.
export const become = (user) => go({ person: user.name, place: parse().place, detail: parse().detail });

// What the demo asks before it goes on, with a button for each answer.
export function drawQuestion(node) {
  const version = JSON.stringify(store.question);
  if (node.dataset.version === version) return;
  node.dataset.version = version;
  node.hidden = !store.question;
  if (node.hidden) return node.replaceChildren();
  const answers = Object.entries(store.question.options).map(([value, label]) =>
    h("button", { type: "button", class: "button", on: { click: () => act("answer", { value }) } }, label));
  node.replaceChildren(h("span", {}, store.question.words), ...answers);
}

export function drawStatus(node) {
  const [kind, words] = !store.connected ? ["off", "Reconnecting…"]
    : store.sockets ? ["on", "Bot connected"] : ["off", store.botSeen ? "Bot not connected" : store.facts.waiting ?? "Bot not connected"];
  if (node.textContent === words) return;
  node.className = `status ${kind}`;
  node.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, words));
}
