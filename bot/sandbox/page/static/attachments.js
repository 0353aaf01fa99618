// Files that go out with the next message: chosen with the paper clip, pasted, or dropped.

import { h, icon, ICONS } from "./dom.js";

const LARGEST = 20 * 1024 * 1024;
const kept = new Map(); // per draft, so that they are still there after a look elsewhere

// `draft` names the place; `complain(words)` says why a file isn't taken.
export function attachments(draft, complain) {
  const node = h("ul", { class: "files", "aria-label": "Files to send" });
  const chosen = () => kept.get(draft) ?? [];
  const keep = (files) => {
    kept.set(draft, files);
    node.hidden = !files.length;
    node.replaceChildren(...files.map((file) => entry(file, () => remove(file))));
  };
  const remove = (file) => {
    URL.revokeObjectURL(file.address);
    keep(chosen().filter((each) => each !== file));
    button.focus();
  };
  const add = (files) => {
    const large = files.find((file) => file.size > LARGEST);
    if (large) complain(`${large.name} is larger than ${LARGEST / 1024 / 1024} MB.`);
    keep([...chosen(), ...files.filter((file) => file.size <= LARGEST).map(held)]);
  };
  const input = h("input", { type: "file", accept: "image/*,.heic,.heif,.avif", multiple: true, hidden: true, tabindex: "-1" });
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  const button = h("button", { type: "button", class: "plain", "aria-label": "Attach an image", title: "Attach an image",
    on: { click: () => input.click() } }, icon(ICONS.attach));
  const take = () => {
    const taken = chosen();
    keep([]);
    return taken;
  };
  keep(chosen());
  return { node, button: [button, input], add, take, keep };
}

const held = (file) => ({ file, name: file.name, address: URL.createObjectURL(file) });

function entry({ file, name, address }, remove) {
  const sign = h("span", { class: "sign", "aria-hidden": "true" }, "📎");
  const image = h("img", { src: address, alt: "" });
  image.addEventListener("error", () => image.replaceWith(sign), { once: true });
  return h("li", {}, file.type.startsWith("image/") ? image : sign, h("span", { class: "name" }, name),
    h("button", { type: "button", class: "plain", "aria-label": `Remove ${name}`, on: { click: remove } }, icon(ICONS.close)));
}

// As {name, data in base64}.
export async function encoded({ file, name }) {
  const address = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.readAsDataURL(file);
  });
  return { name, data: address.split(",")[1] };
}

// Files dropped anywhere in a channel or thread go to the composer there.
export function listenToDrops() {
  const composerAt = (event) => event.target.closest?.("#channel, #thread")?.querySelector(".composer");
  const mark = (composer) => {
    for (const each of document.querySelectorAll(".composer")) each.classList.toggle("dropping", each === composer);
  };
  const withFiles = (listener) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    listener(event);
  };
  document.addEventListener("dragover", withFiles((event) => mark(composerAt(event))));
  document.addEventListener("dragleave", withFiles((event) => event.relatedTarget || mark(null)));
  document.addEventListener("drop", withFiles((event) => {
    mark(null);
    composerAt(event)?.dispatchEvent(new CustomEvent("files", { detail: [...event.dataTransfer.files] }));
  }));
}
