// Form controls of Block Kit's elements, on the browser's own. `change(value)` gets a string, an
// option's value, or a list of them; null for nothing.

import { h } from "./dom.js";
import { people, store } from "./store.js";
import { words } from "./text.js";

const TYPED = { email_text_input: "email", url_text_input: "url", number_input: "number",
  datepicker: "date", timepicker: "time" };

export const isControl = (element) => Boolean(kindOf(element));

function kindOf({ type }) {
  if (type === "plain_text_input" || type in TYPED) return textControl;
  if (type === "radio_buttons" || type === "checkboxes") return choices;
  return /select$/.test(type) ? select : null;
}

export const control = (element, value, change, props) => kindOf(element)(element, value, change, props);

function textControl(element, value, change, props) {
  const multiline = element.multiline;
  const limits = { minlength: element.min_length, maxlength: element.max_length };
  const node = h(multiline ? "textarea" : "input", {
    ...props, ...limits, type: multiline ? null : TYPED[element.type] ?? "text", rows: multiline ? 5 : null,
    placeholder: words(element.placeholder), autofocus: element.focus_on_load, value: value ?? "",
  });
  node.addEventListener("input", () => change(node.value));
  return node;
}

function optionsOf(element) {
  const plain = (text, value) => ({ text: { type: "plain_text", text }, value });
  if (/users_select$/.test(element.type)) return people().map((user) => plain(user.real_name, user.id));
  if (/(conversations|channels)_select$/.test(element.type)) {
    return [...store.channels.values()].map((channel) => plain(channel.name, channel.id));
  }
  return element.options ?? [];
}

function select(element, value, change, props) {
  const multiple = element.type.startsWith("multi_");
  const chosen = new Set([value ?? []].flat());
  const draw = (option) =>
    h("option", { value: option.value, selected: chosen.has(option.value) }, words(option.text));
  const groups = (element.option_groups ?? []).map((group) =>
    h("optgroup", { label: words(group.label) }, group.options.map(draw)));
  const clearable = !multiple && (!chosen.size || props["aria-required"] === "false");
  const empty = clearable ? h("option", { value: "" }, words(element.placeholder) || "Choose an option") : null;
  const node = h("select", { ...props, multiple }, empty, optionsOf(element).map(draw), groups);
  const values = () => [...node.selectedOptions].map((option) => option.value);
  node.addEventListener("change", () => change(multiple ? values() : node.value || null));
  return node;
}

let numbers = 0;

function choices(element, value, change, { id, ...props }) {
  const many = element.type === "checkboxes";
  const chosen = new Set([value ?? []].flat());
  const name = `choice-${(numbers += 1)}`;
  const node = h("div", { ...props, id, role: many ? "group" : "radiogroup", class: "choices" });
  node.append(...element.options.map((option) => h("label", {},
    h("input", { type: many ? "checkbox" : "radio", name, value: option.value, checked: chosen.has(option.value) }),
    h("span", {}, words(option.text), option.description ? h("small", {}, words(option.description)) : null))));
  node.addEventListener("change", () => {
    const ticked = [...node.querySelectorAll(":checked")].map((input) => input.value);
    change(many ? ticked : ticked[0] ?? null);
  });
  return node;
}

// The value in a value object of `state`.
export function plainValue(object) {
  const found = Object.entries(object ?? {}).find(([key]) => key !== "type")?.[1] ?? null;
  if (Array.isArray(found)) return found.map((each) => each.value ?? each);
  return found && typeof found === "object" ? found.value : found;
}
