// The input blocks of a form: label, control, hint, error. What is typed is kept on the server.

import { act } from "./api.js";
import { control, isControl, plainValue } from "./controls.js";
import { h } from "./dom.js";
import { words } from "./text.js";

const PAUSE = 400;

// What people put into the form of one view since it was drawn.
export class Form {
  constructor(view) {
    this.view = view;
    this.values = {};
    this.timer = 0;
  }

  set(block, value) {
    this.values[block] = value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), PAUSE);
  }

  keep() {
    clearTimeout(this.timer);
    return act("fill", { view: this.view.id, values: this.values });
  }

  async submit() {
    clearTimeout(this.timer);
    return act("submit", { view: this.view.id, values: this.values });
  }
}

export function inputBlock(block, form) {
  const each = block.element;
  const id = `field-${block.block_id}`;
  const grouped = each.type === "radio_buttons" || each.type === "checkboxes";
  const state = form.view.state?.[block.block_id]?.[each.action_id];
  const props = { id, "aria-describedby": `${id}-hint ${id}-error`, [grouped ? "aria-labelledby" : "aria-required"]:
    grouped ? `${id}-label` : String(!block.optional), data: { field: block.block_id } };
  const change = (value) => form.set(block.block_id, value);
  return [
    h(grouped ? "span" : "label", { for: grouped ? null : id, id: `${id}-label`, class: "label" }, words(block.label),
      block.optional ? h("span", { class: "quiet" }, " (optional)") : null),
    isControl(each) ? control(each, plainValue(state), change, props) : h("p", { class: "quiet" }, `(${each.type})`),
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
