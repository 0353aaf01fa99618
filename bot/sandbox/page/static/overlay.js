// Dialogs and menus. The browser's own <dialog> keeps the focus inside and the rest inert.

import { h, icon, ICONS } from "./dom.js";

// Show a dialog; answers what it was closed with ("" for Escape).
export function ask(dialog) {
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.showModal();
  });
}

export const closeButton = (label, onClick) =>
  h("button", { type: "button", class: "plain", "aria-label": label, on: { click: onClick } }, icon(ICONS.close));

let numbers = 0;

// A small dialog with a title, a body and buttons as [label, value, style].
export function box(title, body, buttons, kind = "small") {
  const id = `dialog-${(numbers += 1)}`;
  const dialog = h("dialog", { class: kind, "aria-labelledby": id });
  const close = (value) => dialog.close(value);
  const shown = buttons.map(([label, value, style], index) =>
    h("button", { type: "button", class: `button ${style}`, autofocus: index === buttons.length - 1,
      on: { click: () => close(value) } }, label));
  dialog.append(
    h("header", {}, h("h2", { id }, title), closeButton("Close", () => close(""))),
    h("div", { class: "body" }, body),
    ...(shown.length ? [h("footer", {}, shown)] : []),
  );
  return dialog;
}

// A menu under `anchor`; `items` are [label, onChoose].
export function menu(anchor, items) {
  const list = h("div", { role: "menu", class: "menu", "aria-label": anchor.getAttribute("aria-label") }, items.map(([label, choose]) =>
    h("button", { type: "button", role: "menuitem", tabindex: "-1", on: { click: () => done(choose) } }, label)));
  const close = () => {
    list.remove();
    document.removeEventListener("pointerdown", outside);
    anchor.setAttribute("aria-expanded", "false");
  };
  const done = (choose) => {
    close();
    anchor.focus();
    choose();
  };
  const outside = (event) => list.contains(event.target) || close();
  list.addEventListener("keydown", (event) => moveInMenu(event, list, () => { close(); anchor.focus(); }));
  place(list, anchor);
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside);
  list.firstElementChild?.focus();
}

function place(list, anchor) {
  (anchor.closest("dialog") ?? document.body).append(list);
  const at = anchor.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - list.offsetWidth - 8);
  const below = at.bottom + list.offsetHeight < innerHeight;
  list.style.left = `${Math.max(8, left)}px`;
  list.style.top = `${below ? at.bottom + 4 : at.top - list.offsetHeight - 4}px`;
}

function moveInMenu(event, list, close) {
  const items = [...list.children];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
