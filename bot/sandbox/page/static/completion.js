// Suggestions while typing: slash commands at the start, people and the bot after an @.

import { announce } from "./announce.js";
import { h } from "./dom.js";
import { store } from "./store.js";

const INVITE = { command: "/invite", usage_hint: "@imagine", description: "Add the bot to this channel" };

export const commands = () => [...store.commands, INVITE];

export const commandIn = (text) => commands().find((each) => text === each.command || text.startsWith(`${each.command} `));

// What could stand for the word before the caret: {from, items: [{text, label, more}]}.
function suggestions(text, caret, threaded) {
  const before = text.slice(0, caret);
  if (!threaded && /^\/\S*$/.test(before)) {
    const items = commands().filter((each) => each.command.startsWith(before))
      .map((each) => ({ text: `${each.command} `, label: each.command, hint: each.usage_hint, more: each.description }));
    return { from: 0, items };
  }
  const name = /(?:^|\s)@(\w*)$/.exec(before);
  if (!name) return { from: 0, items: [] };
  const users = [...store.users.values()].filter((user) => user.name.startsWith(name[1].toLowerCase()));
  const items = users.map((user) => ({ text: `@${user.name} `, label: `@${user.name}`, more: user.is_bot ? "App" : user.real_name }));
  return { from: caret - name[1].length - 1, items };
}

// Add suggestions to a text field; `changed` is called after one was taken.
export function complete(field, { threaded, changed }) {
  const list = h("div", { class: "suggestions", role: "listbox", id: `${field.id}-list`, "aria-label": "Suggestions", hidden: true });
  let now = { from: 0, items: [] };
  let at = 0;

  function draw() {
    list.hidden = !now.items.length;
    list.replaceChildren(...now.items.map((item, index) =>
      h("div", { role: "option", id: `${list.id}-${index}`, "aria-selected": String(index === at),
        on: { pointerdown: (event) => { event.preventDefault(); take(index); } } },
        h("span", {}, h("strong", {}, item.label), item.hint ? ` ${item.hint}` : null), h("span", { class: "quiet" }, item.more))));
    if (list.hidden) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `${list.id}-${at}`);
  }

  function look() {
    const had = now.items.length;
    now = suggestions(field.value, field.selectionStart, threaded);
    at = 0;
    draw();
    if (now.items.length && !had) announce(`${now.items.length} suggestions: Tab takes the first`);
  }

  function take(index) {
    const end = field.selectionStart;
    field.setRangeText(now.items[index].text, now.from, end, "end");
    close();
    changed();
  }

  function close() {
    now = { from: 0, items: [] };
    draw();
  }

  // Enter sends what needs no completion.
  const typedWhole = (item) => field.value.slice(now.from, field.selectionStart) === item.text.trim();

  function key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (list.hidden || event.isComposing) return;
    if (event.key === "Enter" && typedWhole(now.items[at])) return close();
    if (step) at = (at + step + now.items.length) % now.items.length;
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey)) take(at);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
    draw();
  }

  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.addEventListener("input", look);
  field.addEventListener("keydown", key);
  field.addEventListener("blur", close);
  return list;
}
