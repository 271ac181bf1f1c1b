// What the page knows: the server's state for one person, and what this person has open, read and dismissed.

const DISMISSED = "understudy.dismissed";

export const store = {
  data: null, // the last /ui/state
  user: new URLSearchParams(location.search).get("as"), // a name or an id until the first state, then the id
  channel: null, // id of the open channel
  panel: null, // {kind: "thread", ts} | {kind: "pins"} | {kind: "members"} | {kind: "home"}
  baseline: null, // what was there when the page was opened counts as read
  read: new Map(), // "user channel" -> ts of the newest message seen
  trouble: new Map(), // ts of a message -> why the last click in it came to nothing
  dismissed: new Set(JSON.parse(sessionStorage.getItem(DISMISSED) ?? "[]")),
};

export function userOf(id) {
  return store.data.users.find((user) => user.id === id);
}

export function nameOf(user) {
  return user?.real_name || user?.name || "someone";
}

export function channelOf(id) {
  return store.data.channels.find((channel) => channel.id === id);
}

export function channelNamed(name) {
  return store.data.channels.find((channel) => channel.id === name || (!isDirect(channel) && channel.name === name));
}

export function isDirect(channel) {
  return channel.is_im === true || channel.id.startsWith("D");
}

/** The other side of a direct message. */
export function counterpart(channel) {
  return userOf(channel.members.find((id) => id !== store.data.me.id) ?? channel.members[0]);
}

export function directWith(userId) {
  return store.data.channels.find(
    (channel) => isDirect(channel) && channel.members.includes(userId) && channel.members.includes(store.data.me.id),
  );
}

export function titleOf(channel) {
  return isDirect(channel) ? nameOf(counterpart(channel)) : channel.name;
}

export function messagesOf(channelId) {
  return store.data.messages[channelId] ?? [];
}

/** How a channel is named in the address after the `#`. */
export function slugOf(channel) {
  return isDirect(channel) ? channel.id : encodeURIComponent(channel.name);
}

/** Everything in a channel that this person sees, private notes to them included, oldest first. */
export function visibleIn(channelId) {
  const notes = store.data.ephemerals.filter((note) => note.channel === channelId && !store.dismissed.has(note.ts));
  return [...messagesOf(channelId), ...notes.map((note) => ({ ...note, ephemeral: true }))].sort((a, b) =>
    a.ts < b.ts ? -1 : 1,
  );
}

export function isReply(message) {
  return Boolean(message.thread_ts) && message.thread_ts !== message.ts;
}

export function dismiss(ts) {
  store.dismissed.add(ts);
  sessionStorage.setItem(DISMISSED, JSON.stringify([...store.dismissed]));
}

export function markRead(channelId) {
  const last = visibleIn(channelId).at(-1);
  if (last) store.read.set(`${store.data.me.id} ${channelId}`, last.ts);
}

/** How much is unread in a channel, and how much of it names this person. */
export function unreadIn(channel) {
  const seen = store.read.get(`${store.data.me.id} ${channel.id}`) ?? store.baseline;
  const fresh = messagesOf(channel.id).filter((m) => m.ts > seen && m.user !== store.data.me.id && !m.subtype && !isReply(m));
  const direct = isDirect(channel);
  return {
    count: fresh.length,
    mentions: fresh.filter((m) => direct || JSON.stringify(m).includes(`<@${store.data.me.id}`)).length,
  };
}

/** The newest timestamp anywhere, for the baseline of a page that has just been opened. */
export function newestTs() {
  return Object.values(store.data.messages)
    .flat()
    .reduce((latest, message) => (message.ts > latest ? message.ts : latest), "0");
}
