// Where one is: person, channel, thread, Home tab. It lives in the address, so a reload keeps it.
//   #alice/general            a channel       #alice/general/1234.5678   with a thread open
//   #alice/@imagine           the bot's DM    #alice/@imagine/home       its Home tab

import { store } from "./store.js";

export function parse(hash = location.hash) {
  const [person = "", place = "", detail = ""] = hash.slice(1).split("/").map(decodeURIComponent);
  return { person: person || "alice", place: place || "general", detail };
}

export function go({ person, place, detail }) {
  const now = parse();
  const parts = [person ?? now.person, place ?? now.place];
  const more = detail ?? (person || place ? "" : now.detail);
  location.hash = [...parts, more].filter(Boolean).map(encodeURIComponent).join("/");
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
