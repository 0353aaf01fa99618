// The input blocks of a form: label, control, hint, error. What is typed is kept on the server.

import { act, click } from "./api.js";
import { control, isControl, plainValue } from "./controls.js";
import { h } from "./dom.js";
import { store } from "./store.js";
import { words } from "./text.js";

const PAUSE = 400;

// What people put into the form of one view; `before`: the form that was drawn before. The bot's
// changes of a modal keep what was typed, a Home tab is published anew.
export class Form {
  constructor(view, before) {
    this.view = view;
    const same = before?.view.id === view.id && (view.type === "modal" || before.view.hash === view.hash);
    this.values = same ? before.values : {};
    this.timer = 0;
    store.forms.set(view.id, this);
  }

  // The server's word, unless something newer is on its way to it.
  value(block, action) {
    return block in this.values ? this.values[block] : plainValue(this.view.state?.[block]?.[action]);
  }

  set(block, value) {
    this.values[block] = value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), PAUSE);
  }

  // What is typed goes with whatever is pressed beside it.
  flush() {
    return this.timer ? this.keep() : null;
  }

  keep() {
    clearTimeout(this.timer);
    this.timer = 0;
    return act("fill", { view: this.view.id, values: this.values });
  }

  async submit() {
    clearTimeout(this.timer);
    this.timer = 0;
    return act("submit", { view: this.view.id, values: this.values });
  }
}

export function inputBlock(block, form) {
  const each = block.element;
  const id = `field-${block.block_id}`;
  const grouped = each.type === "radio_buttons" || each.type === "checkboxes";
  const props = { id, "aria-describedby": `${id}-hint ${id}-error`, [grouped ? "aria-labelledby" : "aria-required"]:
    grouped ? `${id}-label` : String(!block.optional), data: { field: block.block_id, focus: id } };
  const change = (value) => {
    form.set(block.block_id, value);
    if (block.dispatch_action && value !== null) click(form.view, block, each, value);
  };
  return [
    h(grouped ? "span" : "label", { for: grouped ? null : id, id: `${id}-label`, class: "label" }, words(block.label),
      block.optional ? h("span", { class: "quiet" }, " (optional)") : null),
    isControl(each) ? control(each, form.value(block.block_id, each.action_id), change, props) : h("p", { class: "quiet" }, `(${each.type})`),
    h("p", { class: "hint", id: `${id}-hint` }, words(block.hint)),
    h("p", { class: "error", id: `${id}-error`, data: { error: block.block_id } }),
  ];
}

// Put the errors under their fields, and the focus on the first of them.
export function showErrors(dialog, errors) {
  for (const line of dialog.querySelectorAll("[data-error]")) {
    const words = errors[line.dataset.error] ?? "";
    if (line.textContent !== words) line.textContent = words;
  }
  const fields = [...dialog.querySelectorAll("[data-field]")];
  fields.forEach((field) => field.setAttribute("aria-invalid", String(field.dataset.field in errors)));
  fields.find((field) => field.dataset.field in errors)?.focus();
}
