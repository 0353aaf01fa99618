// Small coloured squares with initials; the bot has a picture.

import { h } from "./dom.js";
import { store, userName } from "./store.js";

const COLOURS = 6;
const ICON = new URL("icon.svg", import.meta.url).href;

export function avatar(user) {
  const name = userName(user);
  const bot = user === store.botUser;
  const colour = [...user].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % COLOURS;
  return h("span", { class: `avatar ${bot ? "bot" : `colour-${colour}`}`, "aria-hidden": "true" },
    bot ? h("img", { src: ICON, alt: "" }) : name.slice(0, 1).toUpperCase());
}
