// Text objects, and the markdown block.

import { h } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { link, mrkdwn } from "./mrkdwn.js";

// Nodes of a plain_text or mrkdwn object. Slack reads no emoji codes where `emoji` is false.
export function textNodes(object) {
  if (object.type === "mrkdwn") return mrkdwn(object.text);
  return [object.emoji === false ? object.text : withEmoji(object.text)];
}

export const words = (object) => (object ? textNodes({ ...object, type: "plain_text" })[0] : "");

const INLINE = [
  [/`([^`]+)`/, (m) => h("code", {}, m[1])],
  [/\*\*([^*]+)\*\*/, (m) => h("strong", {}, spans(m[1]))],
  [/(?<!\w)[*_]([^*_\n]+)[*_](?!\w)/, (m) => h("em", {}, spans(m[1]))],
  [/~~([^~]+)~~/, (m) => h("del", {}, spans(m[1]))],
  [/\[([^\]]+)\]\(([^)\s]+)\)/, (m) => link(m[2], m[1]) ?? m[0]],
];

function spans(text) {
  for (const [pattern, draw] of INLINE) {
    const m = pattern.exec(text);
    if (m) return [...spans(text.slice(0, m.index)), draw(m), ...spans(text.slice(m.index + m[0].length))];
  }
  return [text];
}

// A markdown block: headings, lists, quotes, code, paragraphs.
export function markdown(text) {
  const parts = text.split(/(```[\s\S]*?```)|\n{2,}/).filter((part) => part && part.trim());
  return parts.map((part) => {
    if (part.startsWith("```")) return h("pre", {}, h("code", {}, part.replace(/^```\w*\n?|\n?```$/g, "")));
    const heading = /^(#{1,6}) (.*)$/.exec(part);
    if (heading) return h("p", { class: "heading" }, spans(heading[2]));
    if (/^[-*] /.test(part)) return list("ul", part, /^[-*] /);
    if (/^\d+\. /.test(part)) return list("ol", part, /^\d+\. /);
    if (part.startsWith("> ")) return h("blockquote", {}, spans(part.replace(/^> ?/gm, "")));
    return h("p", {}, spans(part));
  });
}

const list = (tag, part, mark) =>
  h(tag, {}, part.split("\n").map((line) => h("li", {}, spans(line.replace(mark, "")))));
