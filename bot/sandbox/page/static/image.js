// Images in messages, and one of them large.

import { fileUrl } from "./api.js";
import { h } from "./dom.js";
import { ask, box } from "./overlay.js";
import { words } from "./text.js";

const LARGEST = 360;

// The file that an image block names, by id or by address (…/files/TEAM-FILE/name).
const fileId = (file) => file.id ?? file.url.split("/files/")[1]?.split("/")[0].split("-")[1] ?? "";

export function imageBlock(block, target) {
  const file = block.slack_file ? fileId(block.slack_file) : null;
  const facts = { width: block.image_width, height: block.image_height, alt: block.alt_text };
  const broken = !file || (target.broken ?? []).includes(file);
  const caption = block.title ? h("figcaption", {}, words(block.title)) : null;
  return h("figure", { class: "image" }, caption, broken ? missing(facts.alt) : picture(fileUrl(file), facts, file));
}

export function attachedFile(file) {
  if (!file.image) return h("p", { class: "file" }, `📎 ${file.name}`);
  const facts = { width: file.width, height: file.height, alt: file.name };
  return h("figure", { class: "image" }, h("figcaption", {}, file.name), picture(fileUrl(file.id), facts, file.id));
}

// A small image beside text: the accessory of a section, an element of a context.
export function thumbnail(element) {
  const file = element.slack_file ? fileId(element.slack_file) : null;
  const none = () => h("span", { class: "thumb", role: "img", "aria-label": element.alt_text });
  if (!file) return none();
  const image = h("img", { class: "thumb", src: fileUrl(file), alt: element.alt_text });
  image.addEventListener("error", () => image.replaceWith(none()), { once: true });
  return image;
}

function picture(src, { width, height, alt }, name) {
  const image = h("img", { src, alt, ...fitted(width, height) });
  const button = h("button", { type: "button", class: "picture", data: { focus: `picture/${name}` },
    on: { click: () => lightbox(src, alt) } }, image, h("span", { class: "sr" }, "Show it large"));
  image.addEventListener("error", () => button.replaceWith(missing(alt)), { once: true });
  return button;
}

// The size that it has before it is loaded too, so that nothing jumps.
function fitted(width, height) {
  if (!width || !height) return {};
  const scale = Math.min(1, LARGEST / width, LARGEST / height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

const missing = (alt) =>
  h("div", { class: "missing", role: "img", "aria-label": `An image that can’t be shown: ${alt}` },
    h("span", { "aria-hidden": "true" }, "🖼️ This image can’t be shown"));

function lightbox(src, alt) {
  const body = [
    h("img", { src, alt }),
    h("p", { class: "caption" }, alt),
    h("p", {}, h("a", { href: src, download: "image.png" }, "Download")),
  ];
  ask(box("Image", body, [], "lightbox"));
}
