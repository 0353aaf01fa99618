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

const isNews = (message, mark) => Number(message.ts) > mark && message.user !== store.me;

// How many messages outside of threads are unread, for each channel that has some.
export function unread() {
  const counts = new Map();
  for (const message of store.messages.values()) {
    if (inThread(message) || !isNews(message, readUpTo(message.channel))) continue;
    counts.set(message.channel, (counts.get(message.channel) ?? 0) + 1);
  }
  return counts;
}

export function unreadReplies(channel, ts) {
  const mark = readUpTo(channel, ts);
  return replies(channel, ts).filter((message) => isNews(message, mark)).length;
}

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
