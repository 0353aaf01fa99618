// The middle of the page: one channel, or the bot's Home tab.

import { composer } from "./composer.js";
import { h, refill } from "./dom.js";
import { drawHome, visitHome } from "./home.js";
import { drawList } from "./list.js";
import { atHome, channel, go, placeName } from "./route.js";
import { store, timeline } from "./store.js";
import { markRead, readUpTo } from "./unread.js";

const EXAMPLE = "/imagine a robot eating pizza on Mars";
const part = (id) => document.getElementById(id);
let open = "";
let newAfter = Infinity;

export function drawChannel() {
  const now = channel();
  if (!now) return;
  const changed = open !== `${store.me}/${now.id}`;
  if (changed) enter(now);
  const home = Boolean(now.user && store.homeTab && atHome());
  drawTitle(now, home);
  visitHome(home);
  part("home").hidden = !home;
  part("messages").hidden = part("composer-place").hidden = home;
  if (home) drawHome(part("home"));
  const messages = timeline(now.id);
  drawIntro(now, messages.length);
  drawList(part("timeline"), messages, { place: "channel", newAfter, force: changed });
  if (document.visibilityState === "visible") markRead(now.id);
}

function enter(now) {
  open = `${store.me}/${now.id}`;
  newAfter = readUpTo(now.id) || Infinity;
  part("timeline").replaceChildren();
  part("intro").dataset.version = "";
  part("composer-place").replaceChildren(composer(now, null));
}

function drawTitle(now, home) {
  const title = now.user ? "imagine" : `# ${now.name}`;
  if (part("channel-title").textContent !== title) part("channel-title").textContent = title;
  document.title = `${title} · imagine-bot demo`;
  const tabs = part("tabs");
  tabs.hidden = !(now.user && store.homeTab);
  const version = `${placeName(now)}/${home}`;
  if (tabs.hidden || tabs.dataset.version === version) return;
  tabs.dataset.version = version;
  const tab = (label, detail, current) => h("button", { type: "button", "aria-pressed": String(current),
    data: { focus: label }, on: { click: () => go({ place: placeName(now), detail }) } }, label);
  refill(tabs, tab("Home", "home", home), tab("Messages", "", !home));
}

// The first words of a channel tell a newcomer what to type.
function drawIntro(now, count) {
  const node = part("intro");
  const version = [now.id, now.bot, count > 0, store.facts.images].join();
  if (node.dataset.version === version) return;
  node.dataset.version = version;
  node.replaceChildren(h("h2", {}, now.user ? "You and imagine" : `Welcome to #${now.name}`), ...wordsAbout(now));
}

function wordsAbout(now) {
  const attempt = h("button", { type: "button", class: "button", on: { click: useExample } }, `Try ${EXAMPLE}`);
  return [h("p", {}, wordsFor(now)), store.facts.images ? h("p", { class: "quiet" }, store.facts.images) : null, attempt].filter(Boolean);
}

function wordsFor(now) {
  if (now.user) return "Write what the image should show, or attach one to start from. The bot answers in a thread: open it there, look, and decide.";
  if (!now.bot) return `The bot is not a member of this channel, and it cannot join: ${whyNot(now)}. Try a command and read its answer; /invite @imagine lets it in.`;
  return "Type a slash command or mention @imagine, and say what the image should show. The bot answers in a thread: open it there, look, and decide.";
}

const whyNot = (now) => (now.is_private ? "this channel is private, and an app comes into one by invitation only"
  : "its app lacks the permission channels:join here, to show what people see then");

function useExample() {
  const field = part("composer");
  field.value = EXAMPLE;
  field.dispatchEvent(new Event("input"));
  field.focus();
}
