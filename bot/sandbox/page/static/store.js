// What the page knows of the workspace, as one person sees it; the server has the truth.

const listeners = new Set();

export const store = {
  me: null, team: null, botUser: null, users: new Map(), channels: new Map(), messages: new Map(),
  views: [], home: null, commands: [], shortcuts: [], homeTab: false, sockets: 0, botSeen: false, wire: [], facts: {}, question: null,
  connected: false, fresh: true, pending: new Set(), chosen: new Map(), forms: new Map(), failed: "",
};

// `listener(change)` is called after every change, with the server's message about it.
export function onChange(listener) {
  listeners.add(listener);
}

export function tell(change) {
  listeners.forEach((listener) => listener(change));
}

export const messageKey = (message) => `${message.channel}/${message.ts}`;

export function apply(change) {
  const before = change.type === "message" ? store.messages.get(messageKey(change.message)) : undefined;
  APPLY[change.type]?.(change);
  tell({ ...change, before });
}

const APPLY = {
  state(all) {
    Object.assign(store, {
      me: all.me, team: all.team, botUser: all.bot_user, views: all.views, home: all.home,
      commands: all.commands, shortcuts: all.shortcuts, homeTab: all.home_tab,
      sockets: all.sockets, botSeen: all.bot_seen, wire: all.wire, facts: all.facts,
      question: all.question, connected: true, fresh: false,
    });
    store.users = new Map(all.users.map((user) => [user.id, user]));
    store.channels = new Map(all.channels.map((channel) => [channel.id, channel]));
    store.messages = new Map(all.messages.map((message) => [messageKey(message), message]));
  },
  message({ message }) {
    if (message.deleted) store.messages.delete(messageKey(message));
    else store.messages.set(messageKey(message), message);
  },
  views({ views, home }) {
    Object.assign(store, { views, home });
  },
  channel({ channel }) {
    store.channels.set(channel.id, channel);
  },
  wire({ entry }) {
    store.wire.push(entry);
    if (store.wire.length > 400) store.wire.shift();
    if (entry.type !== "sockets") return;
    store.sockets = entry.count;
    store.botSeen ||= entry.count > 0;
  },
  question({ question, facts }) {
    Object.assign(store, { question, facts });
  },
  disconnected() {
    store.connected = false;
  },
};

export const isReply = (message) => Boolean(message.thread_ts && message.thread_ts !== message.ts);

const inOrder = (messages) => messages.sort((a, b) => Number(a.ts) - Number(b.ts));

// What the channel shows outside of threads.
export function timeline(channel) {
  const there = [...store.messages.values()].filter((message) => message.channel === channel);
  return inOrder(there.filter((message) => !isReply(message) || message.subtype === "thread_broadcast"));
}

export function replies(channel, ts) {
  const there = [...store.messages.values()].filter((message) => message.channel === channel);
  return inOrder(there.filter((message) => isReply(message) && message.thread_ts === ts));
}

export const message = (channel, ts) => store.messages.get(`${channel}/${ts}`);

export function userName(id) {
  if (id === "USLACKBOT") return "Slackbot";
  const user = store.users.get(id);
  return user ? user.real_name || user.name : id;
}

export const people = () => [...store.users.values()].filter((user) => !user.is_bot);
