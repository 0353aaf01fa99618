// One message: who, when, what, and what hangs on it.

import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { blocks } from "./blocks.js";
import { h, icon, ICONS } from "./dom.js";
import { attachedFile } from "./image.js";
import { mrkdwn, plainWords } from "./mrkdwn.js";
import { menu } from "./overlay.js";
import { openThread } from "./route.js";
import { isReply, message as find, replies, store, userName } from "./store.js";
import { clock } from "./time.js";
import { unreadReplies } from "./unread.js";

// `place` is "channel" or "thread"; `joined`: it continues the message above, of the same person.
export function drawMessage(message, place, joined) {
  const kinds = [joined ? "joined" : "", message.ephemeral_to ? "ephemeral" : ""];
  return h("li", { class: `message ${kinds.join(" ")}`, tabindex: "-1", data: { ts: message.ts, focus: "whole" } },
    avatar(message.user),
    h("div", { class: "content" },
      message.ephemeral_to ? h("p", { class: "quiet only-you" }, "👁 Only visible to you") : null,
      head(message), place === "channel" ? sentFromThread(message) : null, body(message),
      place === "channel" ? threadBar(message) : alsoSent(message)),
    tools(message, place));
}

const head = (message) => h("p", { class: "head" },
  h("strong", {}, userName(message.user)),
  message.bot_id || message.user === "USLACKBOT" ? h("span", { class: "app" }, "App") : null,
  h("time", { datetime: new Date(Number(message.ts) * 1000).toISOString() }, clock(message.ts)));

function body(message) {
  const shown = message.blocks?.length
    ? blocks(message.blocks, message)
    : [h("div", { class: "words mrkdwn" }, mrkdwn(message.text),
        message.edits && !message.bot_id ? h("span", { class: "quiet" }, " (edited)") : null)];
  const kept = message.blocks?.length || message.text ? shown : [];
  return h("div", { class: "text" }, kept, message.files.map(attachedFile));
}

function sentFromThread(message) {
  if (message.subtype !== "thread_broadcast") return null;
  const root = find(message.channel, message.thread_ts);
  const about = root?.blocks?.find((block) => block.text?.type === "plain_text")?.text.text ?? plainWords(root?.text || "a thread");
  return h("p", { class: "quiet from-thread" }, "replied to a thread: ",
    h("button", { type: "button", class: "link", data: { focus: "from-thread" },
      on: { click: () => openThread(message.channel, message.thread_ts) } }, shortened(about)));
}

const shortened = (text) => (text.length > 80 ? `${text.slice(0, 79).trimEnd()}…` : text);

const alsoSent = (message) =>
  message.subtype === "thread_broadcast" ? h("p", { class: "quiet also" }, "↪ Also sent to the channel") : null;

function threadBar(message) {
  const all = replies(message.channel, message.ts).filter((reply) => !reply.ephemeral_to);
  if (isReply(message) || !all.length) return null;
  const fresh = unreadReplies(message.channel, message.ts);
  const faces = [...new Set(all.map((reply) => reply.user))].slice(0, 3).map(avatar);
  return h("button", { type: "button", class: "thread-bar", data: { focus: "replies" },
    on: { click: () => openThread(message.channel, message.ts) } },
    h("span", { class: "faces" }, faces),
    h("span", { class: "count" }, `${all.length} ${all.length === 1 ? "reply" : "replies"}`),
    fresh ? h("span", { class: "badge" }, `${fresh} new`) : null,
    h("span", { class: "quiet" }, `Last reply ${clock(all.at(-1).ts)}`));
}

function tools(message, place) {
  if (message.ephemeral_to) return null;
  const reply = place === "channel" ? h("button", { type: "button", class: "plain", "aria-label": "Reply in thread",
    title: "Reply in thread", data: { focus: "reply" },
    on: { click: () => openThread(message.channel, isReply(message) ? message.thread_ts : message.ts) } },
    icon(ICONS.thread)) : null;
  const items = store.shortcuts.map((shortcut) => [shortcut.name, () =>
    act("shortcut", { channel: message.channel, ts: message.ts, callback_id: shortcut.callback_id })]);
  const more = items.length ? h("button", { type: "button", class: "plain", "aria-label": "More actions",
    title: "More actions", "aria-haspopup": "menu", "aria-expanded": "false", data: { focus: "more" },
    on: { click: (event) => menu(event.currentTarget, items) } }, icon(ICONS.more)) : null;
  return reply || more ? h("div", { class: "tools" }, reply, more) : null;
}
