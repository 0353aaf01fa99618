// What a screen reader says of things that happen.

import { plainWords } from "./mrkdwn.js";
import { channel, thread } from "./route.js";
import { store, userName } from "./store.js";
import { inThread } from "./unread.js";

const LONGEST = 200;

export function announce(words) {
  document.getElementById("news").textContent = words;
}

// New messages where one is looking, and drafts anywhere in sight.
export function announceMessage({ type, message, before }) {
  if (type !== "message" || before || message.deleted || message.user === store.me) return;
  if (message.channel !== channel()?.id) return;
  const place = inThread(message) ? (message.thread_ts === thread() ? "in the thread" : "in a thread") : "";
  announce(`${[userName(message.user), place].filter(Boolean).join(" ")}: ${plainWords(message.text)}`.slice(0, LONGEST));
}
