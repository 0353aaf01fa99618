// Channels and the bot's conversation, with what is unread.

import { avatar } from "./avatar.js";
import { h, icon, ICONS } from "./dom.js";
import { channel, go, parse, placeName } from "./route.js";
import { store } from "./store.js";
import { unread } from "./unread.js";

const order = (all) => [...all].sort((a, b) => Number(a.is_private) - Number(b.is_private));

export const places = () => {
  const all = [...store.channels.values()];
  return [...order(all.filter((each) => !each.user)), ...all.filter((each) => each.user)];
};

export function drawSidebar(node) {
  const all = places();
  const open = channel()?.id;
  const counts = unread();
  counts.delete(open);
  const version = JSON.stringify([parse().person, open, all.map((each) => [each.id, each.name, each.bot, counts.get(each.id)])]);
  if (node.dataset.version === version) return;
  node.dataset.version = version;
  const entries = (some) => some.map((each) => entry(each, each.id === open, counts.get(each.id)));
  node.replaceChildren(
    h("h2", { id: "channels-title" }, "Channels"),
    h("ul", { "aria-labelledby": "channels-title" }, entries(all.filter((each) => !each.user))),
    h("h2", { id: "direct-title" }, "Apps"),
    h("ul", { "aria-labelledby": "direct-title" }, entries(all.filter((each) => each.user))));
}

function entry(each, open, count) {
  const sign = each.user ? avatar(store.botUser) : each.is_private ? icon(ICONS.lock) : "#";
  const name = each.user ? "imagine" : each.name;
  const address = `#${[parse().person, placeName(each)].map(encodeURIComponent).join("/")}`;
  return h("li", {}, h("a", { href: address, class: count ? "unread" : "", "aria-current": open ? "page" : null,
    data: { focus: each.id } },
    h("span", { class: "sign", "aria-hidden": "true" }, sign), h("span", { class: "name" }, name),
    each.bot ? null : h("span", { class: "tag", title: "The bot is not a member here" }, "no bot"),
    count ? h("span", { class: "badge" }, String(count), h("span", { class: "sr" }, " unread")) : null));
}

// Alt+↑ and Alt+↓.
export function step(by) {
  const all = places();
  const at = all.findIndex((each) => each.id === channel()?.id);
  go({ place: placeName(all[(at + by + all.length) % all.length]) });
}
