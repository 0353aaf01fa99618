// The modal on top of a person's stack.

import { act, TROUBLE } from "./api.js";
import { blocks } from "./blocks.js";
import { h, refill } from "./dom.js";
import { Form, inputBlock, showErrors } from "./fields.js";
import { closeButton } from "./overlay.js";
import { store } from "./store.js";
import { words } from "./text.js";

let shown = null; // {id, hash, errors, pending, dialog, form, back}

export function drawModal() {
  const view = store.views.at(-1);
  if (shown && view?.id !== shown.id) hide();
  if (!view) return;
  const pending = [...store.pending].filter((id) => id.includes(view.id)).join();
  if (shown?.hash !== view.hash || shown.pending !== pending) show(view, pending);
  const all = store.failed === view.hash ? { "": TROUBLE, ...view.errors } : view.errors;
  const errors = JSON.stringify(all);
  if (shown.errors !== errors) showErrors(shown.dialog, all);
  shown.errors = errors;
}

function hide() {
  shown.dialog.remove();
  store.forms.delete(shown.id);
  shown.back?.focus?.();
  shown = null;
}

// Views that are updated keep their dialog, so that the focus stays inside.
function show(view, pending) {
  const dialog = shown?.dialog ?? newDialog();
  const back = shown?.back ?? document.activeElement;
  const form = new Form(view, shown?.form);
  refill(dialog, content(view, form));
  const fresh = shown?.id !== view.id;
  shown = { id: view.id, hash: view.hash, errors: "{}", pending, dialog, form, back };
  if (!dialog.open) dialog.showModal();
  if (fresh) (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input, textarea, select"))?.focus();
}

function newDialog() {
  const dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title" });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  document.body.append(dialog);
  return dialog;
}

const close = () => act("close", { view: shown.id });

function content(view, form) {
  const more = { input: (block) => inputBlock(block, form) };
  const submit = view.submit
    ? h("button", { type: "submit", class: "button primary" }, words(view.submit)) : null;
  const node = h("form", { novalidate: true, on: { submit: (event) => send(event, form, submit) } },
    h("header", {}, h("h2", { id: "modal-title" }, words(view.title)), closeButton("Close the form", close)),
    h("div", { class: "body" },
      h("p", { class: "error banner", role: "alert", data: { error: "" } }), blocks(view.blocks, view, more)),
    h("footer", {},
      h("button", { type: "button", class: "button", on: { click: close } }, words(view.close) || "Cancel"), submit));
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) node.requestSubmit();
  });
  return node;
}

async function send(event, form, submit) {
  event.preventDefault();
  if (!submit || submit.getAttribute("aria-disabled")) return;
  submit.setAttribute("aria-disabled", "true");
  submit.append(h("span", { class: "spinner" }, h("span", { class: "sr" }, "sending")));
  const answer = await form.submit();
  submit.removeAttribute("aria-disabled");
  submit.querySelector(".spinner")?.remove();
  const lost = answer.error === "offline" ? "The workspace can’t be reached. Try again in a moment." : "";
  if (lost && shown) showErrors(shown.dialog, { "": lost });
}
