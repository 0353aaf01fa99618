// rich_text blocks.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { link, mention } from "./mrkdwn.js";
import { store } from "./store.js";

export const richText = (block) => h("div", { class: "rich" }, block.elements.map(section));

function section(part) {
  switch (part.type) {
    case "rich_text_list":
      return h(part.style === "ordered" ? "ol" : "ul", {}, part.elements.map((each) => h("li", {}, inside(each))));
    case "rich_text_preformatted":
      return h("pre", {}, h("code", {}, inside(part)));
    case "rich_text_quote":
      return h("blockquote", {}, inside(part));
    default:
      return h("p", {}, inside(part));
  }
}

const inside = (part) => part.elements.map(piece);

function piece(element) {
  switch (element.type) {
    case "text":
      return dressed(element.text, element.style);
    case "link":
      return link(element.url, element.text) ?? element.text ?? element.url;
    case "user":
      return mention(element.user_id);
    case "channel":
      return h("span", { class: "mention" }, `#${store.channels.get(element.channel_id)?.name ?? element.channel_id}`);
    case "emoji":
      return emoji(element.name);
    case "broadcast":
      return h("span", { class: "mention loud" }, `@${element.range}`);
    default:
      return element.text ?? "";
  }
}

const TAGS = { bold: "strong", italic: "em", strike: "del", code: "code" };

function dressed(text, style = {}) {
  return Object.entries(TAGS).reduce((node, [name, tag]) => (style[name] ? h(tag, {}, node) : node), text);
}
