// The server's news on a WebSocket, which comes back by itself.

import { apply } from "./store.js";
import { parse } from "./route.js";

const LONGEST_WAIT = 3000;
let socket = null;
let wait = 250;
let person = "";

// Follow the workspace as the person in the address; again, when that has become another.
export function follow() {
  if (person === parse().person && socket) return;
  person = parse().person;
  const old = socket;
  socket = null;
  old?.close();
  connect();
}

function connect() {
  const opened = new WebSocket(`ws://${location.host}/page/feed?as=${encodeURIComponent(person)}`);
  socket = opened;
  opened.addEventListener("message", (event) => {
    if (socket !== opened) return;
    wait = 250;
    apply(JSON.parse(event.data));
  });
  opened.addEventListener("close", () => {
    if (socket !== opened) return;
    apply({ type: "disconnected" });
    setTimeout(() => socket === opened && connect(), wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}
