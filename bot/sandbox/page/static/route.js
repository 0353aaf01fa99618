// Where one is: person, channel, thread, Home tab. It lives in the address, so a reload keeps it.
//   #alice/general            a channel       #alice/general/1234.5678   with a thread open
//   #alice/@imagine           the bot's DM    #alice/@imagine/home       its Home tab
//   #alice/general/1234.5678/1299.1           at one reply of the thread

import { isReply, message, store } from "./store.js";

export function parse(hash = location.hash) {
  const [person = "", place = "", detail = "", reply = ""] = hash.slice(1).split("/").map(decodeURIComponent);
  return { person: person || "alice", place: place || "general", detail, reply };
}

const address = (...parts) => `#${parts.filter(Boolean).map(encodeURIComponent).join("/")}`;

export function go({ person, place, detail }) {
  const now = parse();
  const more = detail ?? (person || place ? "" : now.detail);
  location.hash = address(person ?? now.person, place ?? now.place, more);
}

const LINK = /^https:\/\/([^/]+)\/archives\/(\w+)\/p(\d+)(?:\?thread_ts=([\d.]+))?/;

// The address on this page of a link to a message of this workspace; null for every other link.
export function insideAddress(url) {
  const [, host, id, digits, inThread] = LINK.exec(url) ?? [];
  if (!digits || host !== `${store.team.domain}.slack.com`) return null;
  const there = store.channels.get(id);
  const ts = `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  const found = message(id, ts);
  const root = inThread ?? (found && isReply(found) ? found.thread_ts : ts);
  return address(parse().person, there ? placeName(there) : id, root, root === ts ? "" : ts);
}

// A link to a message stays on the page, every other opens in a tab of its own.
export function openLink(url) {
  const inside = insideAddress(url);
  if (inside) location.hash = inside;
  else window.open(url, "_blank", "noopener,noreferrer");
}

export const personId = () => [...store.users.values()].find((user) => user.name === parse().person)?.id;

export const placeName = (channel) => (channel.user ? "@imagine" : channel.name);

// The channel that is open.
export function channel() {
  const { place } = parse();
  const all = [...store.channels.values()];
  return all.find((each) => placeName(each) === place) ?? all[0];
}

export const thread = () => (/^\d+\.\d+$/.test(parse().detail) ? parse().detail : null);

export const atHome = () => parse().detail === "home";

export const openThread = (channelId, ts) =>
  go({ place: placeName(store.channels.get(channelId)), detail: ts });

export const closeThread = () => go({ place: parse().place });
