// The message field. What is typed and not sent yet is kept per place, through a reload too.

import { act } from "./api.js";
import { attachments, encoded } from "./attachments.js";
import { commandIn, complete } from "./completion.js";
import { h, icon, ICONS } from "./dom.js";
import { goToEnd } from "./list.js";
import { placeName } from "./route.js";
import { store } from "./store.js";

// `thread`: the ts of its root, or null for the channel itself.
export function composer(channel, thread) {
  const draft = `draft/${store.me}/${channel.id}/${thread ?? ""}`;
  const where = thread ? "the thread" : placeName(channel).replace(/^(?!@)/, "#");
  const id = thread ? "reply" : "composer";
  const field = h("textarea", { id, rows: 1, "aria-label": `Message to ${where}`, "aria-describedby": `${id}-hint`,
    placeholder: placeholder(channel, thread, where), value: sessionStorage.getItem(draft) ?? "" });
  const hint = h("p", { class: "hint", id: `${id}-hint` });
  const files = attachments(draft, (words) => hint.replaceChildren(words));
  const changed = () => {
    sessionStorage.setItem(draft, field.value);
    hint.replaceChildren(...usage(field.value, thread));
    fit(field);
  };
  const suggestions = complete(field, { threaded: Boolean(thread), changed });
  const send = () => submit({ channel, thread, field, files, hint, changed });
  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  field.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files];
    if (!pasted.length) return;
    event.preventDefault();
    files.add(pasted);
  });
  queueMicrotask(changed);
  return h("form", { class: "composer", "aria-label": `Write to ${where}`,
    on: { submit: (event) => { event.preventDefault(); send(); }, files: (event) => { files.add(event.detail); field.focus(); } } },
    suggestions,
    h("div", { class: "field" }, files.node, h("div", { class: "typing" }, files.button, field,
      h("button", { type: "submit", class: "plain send", "aria-label": "Send" }, icon(ICONS.send)))),
    hint);
}

function placeholder(channel, thread, where) {
  if (thread && channel.user) return "Reply with what to change";
  if (thread) return channel.bot ? "Reply, or @imagine a change" : "Reply…";
  return `Message ${channel.user ? "imagine" : where}, or type /`;
}

function fit(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, 200)}px`;
}

function usage(text, thread) {
  const found = commandIn(text);
  if (!found) return [];
  if (thread) return ["Slash commands don’t work in threads."];
  return [h("code", {}, `${found.command} ${found.usage_hint}`), ` ${found.description}`];
}

async function submit({ channel, thread, field, files, hint, changed }) {
  const text = field.value;
  const sent = files.take();
  if (!text.trim() && !sent.length) return;
  field.value = "";
  changed();
  goToEnd(document.getElementById(thread ? "replies-scroller" : "messages"));
  const answer = await act(...request(channel, thread, text.trim(), await Promise.all(sent.map(encoded))));
  if (!["offline", "channel_not_found"].includes(answer.error)) return sent.forEach((file) => URL.revokeObjectURL(file.address));
  field.value = field.value || text;
  files.keep(sent);
  changed();
  hint.replaceChildren("Not sent: the workspace can’t be reached. Try again in a moment.");
}

function request(channel, thread, text, files) {
  const where = { channel: channel.id, thread_ts: thread };
  const [command, rest] = [text.split(/\s/, 1)[0], text.replace(/^\S+\s*/, "")];
  if (/^\/[a-z]/.test(command) && !files.length) return ["slash", { ...where, command, text: rest }];
  return ["say", { ...where, text, files }];
}
