// What a person does, sent to the server. Answers {ok, ms, error, errors}; never throws.

import { store, tell } from "./store.js";

export async function act(action, body) {
  try {
    const response = await fetch(`/page/do/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, as: store.me }),
    });
    return await response.json();
  } catch {
    return { ok: false, error: "offline", errors: {} };
  }
}

// Press something on a message or view; until the bot has acked, it shows as pending.
export async function click(target, block, element, value) {
  const id = pendingId(target, block, element);
  if (store.pending.has(id)) return;
  store.pending.add(id);
  store.failed = "";
  tell({ type: "pending" });
  if (!target.ts) await store.forms.get(target.id)?.flush();
  const where = target.ts ? { channel: target.channel, ts: target.ts } : { view: target.id };
  const answer = await act("click", { ...where, block_id: block.block_id, action_id: element.action_id, value });
  store.pending.delete(id);
  if (answer.error && !target.ts) store.failed = target.hash;
  tell({ type: "pending", answer, target });
}

// What stands in a view of which something was pressed in vain; in a channel Slackbot says it.
export const TROUBLE = "We had some trouble connecting. Try again?";

export const pendingId = (target, block, element) =>
  [target.channel ?? "", target.ts ?? target.id, block.block_id, element.action_id].join("/");

export const isPending = (target, block, element) => store.pending.has(pendingId(target, block, element));

export const fileUrl = (id) => `/page/files/${encodeURIComponent(id)}?as=${encodeURIComponent(store.me)}`;
