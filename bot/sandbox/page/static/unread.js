// Up to where each person has read each channel and thread. The browser keeps it.

import { isReply, replies, store, timeline } from "./store.js";

const KEY = "imagine-read";
let marks = stored();

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

const name = (channel, thread) => [store.me, channel, thread].filter(Boolean).join("/");

export const readUpTo = (channel, thread) => Number(marks[name(channel, thread)] ?? 0);

const news = (messages, mark) =>
  messages.filter((message) => Number(message.ts) > mark && message.user !== store.me).length;

export const unread = (channel) => news(timeline(channel), readUpTo(channel));

export const unreadReplies = (channel, ts) => news(replies(channel, ts), readUpTo(channel, ts));

// Remember that everything that is there by now has been seen.
export function markRead(channel, thread) {
  const there = thread ? replies(channel, thread) : timeline(channel);
  const last = there.at(-1)?.ts ?? thread ?? "0";
  if (Number(last) <= readUpTo(channel, thread)) return false;
  marks = { ...stored(), [name(channel, thread)]: last };
  localStorage.setItem(KEY, JSON.stringify(marks));
  return true;
}

// Whether a new message is in front of the person's eyes.
export const inThread = (message) => isReply(message) && message.subtype !== "thread_broadcast";
