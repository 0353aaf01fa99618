// Slack's mrkdwn as DOM nodes. What isn't markup becomes a text node, whatever it looks like.

import { h } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { insideAddress } from "./route.js";
import { store, userName } from "./store.js";
import { localTime } from "./time.js";

const unescape = (text) => text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);

// The text without its markup, for where there can be none: as it is read on the page.
export const plainWords = (text) => mrkdwn(text).map((node) => node.textContent ?? node).join("").replace(/\s+/g, " ").trim();

// Each rule: pattern → node. The earliest match wins, the first rule among equals.
const RULES = [
  [/```\n?([\s\S]+?)\n?```/, (m) => h("pre", {}, h("code", {}, unescape(m[1])))],
  [/`([^`\n]+)`/, (m) => h("code", {}, unescape(m[1]))],
  [/<([^<>\s][^<>]*)>/, (m) => entity(m[1], m[0])],
  [styled("*"), (m) => h("strong", {}, inline(m[1]))],
  [styled("_"), (m) => h("em", {}, inline(m[1]))],
  [styled("~"), (m) => h("del", {}, inline(m[1]))],
];

function styled(sign) {
  const s = `\\${sign}`;
  return new RegExp(`(?<![\\w${s}])${s}(?=[^\\s${s}])([^\\n${s}]*[^\\s${s}])${s}(?![\\w${s}])`);
}

export function inline(text) {
  const found = RULES.map(([pattern, draw]) => [pattern.exec(text), draw]).filter(([match]) => match);
  if (!found.length) return [withEmoji(unescape(text))];
  const [match, draw] = found.reduce((best, each) => (each[0].index < best[0].index ? each : best));
  const after = text.slice(match.index + match[0].length);
  return [...inline(text.slice(0, match.index)), draw(match), ...inline(after)].filter((node) => node !== "");
}

function entity(inside, whole) {
  const [target, label] = [inside.split("|")[0], inside.split("|").slice(1).join("|")];
  if (target.startsWith("@")) return mention(target.slice(1));
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${channelName(target.slice(1), label)}`);
  if (/^!(channel|here|everyone)$/.test(target)) return h("span", { class: "mention loud" }, `@${target.slice(1)}`);
  const [kind, seconds, format] = target.split("^");
  const told = kind === "!date" && format ? localTime(seconds, unescape(format)) : null;
  if (target.startsWith("!")) return told ?? unescape(label || whole);
  return link(unescape(target), unescape(label)) ?? unescape(whole);
}

const channelName = (id, label) => store.channels.get(id)?.name ?? (label || id);

export function mention(id) {
  const mine = id === store.me ? " mine" : "";
  return h("span", { class: `mention${mine}` }, `@${userName(id)}`);
}

// Only the web can be linked to; null for every other scheme.
export function link(url, label) {
  if (!/^https?:\/\//i.test(url)) return null;
  const inside = insideAddress(url);
  if (inside) return h("a", { href: inside }, label || url);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label || url);
}

// Lines that start with > are quotes.
export function mrkdwn(text) {
  const nodes = [];
  for (const part of text.split(/((?:^&gt;.*(?:\n|$))+)/m).filter(Boolean)) {
    if (!part.startsWith("&gt;")) nodes.push(...inline(part));
    else nodes.push(h("blockquote", {}, inline(part.replace(/^&gt; ?/gm, "").replace(/\n$/, ""))));
  }
  return nodes;
}
