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
  node.replaceChildren(
    h("h2", { id: "channels-title" }, "Channels"),
    h("ul", { "aria-labelledby": "channels-title" }, all.filter((each) => !each.user).map(entry)),
    h("h2", { id: "direct-title" }, "Apps"),
    h("ul", { "aria-labelledby": "direct-title" }, all.filter((each) => each.user).map(entry)));
}

function entry(each) {
  const open = each.id === channel()?.id;
  const count = open ? 0 : unread(each.id);
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
