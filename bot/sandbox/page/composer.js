// The message field. What is typed and not sent yet is kept per place, through a reload too.

import { act } from "./api.js";
import { commandIn, complete } from "./completion.js";
import { h, icon, ICONS } from "./dom.js";
import { placeName } from "./route.js";
import { store } from "./store.js";

const LARGEST = 20 * 1024 * 1024;

// `thread`: the ts of its root, or null for the channel itself.
export function composer(channel, thread) {
  const draft = `draft/${store.me}/${channel.id}/${thread ?? ""}`;
  const where = thread ? "the thread" : placeName(channel).replace(/^(?!@)/, "#");
  const id = thread ? "reply" : "composer";
  const field = h("textarea", { id, rows: 1, "aria-label": `Message to ${where}`, "aria-describedby": `${id}-hint`,
    placeholder: thread ? "Reply…" : `Message ${where}, or / for commands`, value: sessionStorage.getItem(draft) ?? "" });
  const hint = h("p", { class: "hint", id: `${id}-hint` });
  const files = attachments();
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
  queueMicrotask(changed);
  return h("form", { class: "composer", "aria-label": `Write to ${where}`, on: { submit: (event) => { event.preventDefault(); send(); } } },
    suggestions, files.node,
    h("div", { class: "field" }, files.button, field,
      h("button", { type: "submit", class: "plain send", "aria-label": "Send" }, icon(ICONS.send))),
    hint);
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
  const answer = await act(...request(channel, thread, text.trim(), sent));
  if (!["offline", "channel_not_found"].includes(answer.error)) return;
  field.value = field.value || text;
  changed();
  hint.replaceChildren("Not sent: the workspace can’t be reached. Try again in a moment.");
}

function request(channel, thread, text, files) {
  const where = { channel: channel.id, thread_ts: thread };
  const [command, rest] = [text.split(/\s/, 1)[0], text.replace(/^\S+\s*/, "")];
  if (/^\/[a-z]/.test(command) && !files.length) return ["slash", { ...where, command, text: rest }];
  return ["say", { ...where, text, files }];
}

// Files chosen with the paper clip, as {name, data in base64}.
function attachments() {
  let chosen = [];
  const node = h("ul", { class: "files" });
  const input = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, tabindex: "-1" });
  const draw = () => node.replaceChildren(...chosen.map((file) => h("li", {}, file.name,
    h("button", { type: "button", class: "plain", "aria-label": `Remove ${file.name}`,
      on: { click: () => { chosen = chosen.filter((each) => each !== file); draw(); } } }, icon(ICONS.close)))));
  input.addEventListener("change", async () => {
    const small = [...input.files].filter((file) => file.size <= LARGEST);
    chosen.push(...(await Promise.all(small.map(encoded))));
    input.value = "";
    draw();
  });
  const button = h("button", { type: "button", class: "plain", "aria-label": "Attach an image",
    on: { click: () => input.click() } }, icon(ICONS.attach), input);
  const take = () => {
    const taken = chosen;
    chosen = [];
    draw();
    return taken;
  };
  return { node, button, take };
}

async function encoded(file) {
  const address = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.readAsDataURL(file);
  });
  return { name: file.name, data: address.split(",")[1] };
}
