// The page itself: what is open, how a change comes in, and what a person's actions become.

import { composer } from "./composer.js";
import { byId, h, icon } from "./dom.js";
import { keyOf } from "./elements.js";
import { showHead } from "./head.js";
import { showMessages } from "./messages.js";
import { showModal, wireModal } from "./modal.js";
import { inline } from "./mrkdwn.js";
import { follow, getState, post } from "./net.js";
import { showPanel } from "./panel.js";
import { showRail, unreadTotal } from "./rail.js";
import {
  channelNamed,
  channelOf,
  isDirect,
  isReply,
  markRead,
  messagesOf,
  newestTs,
  slugOf,
  store,
  titleOf,
  visibleIn,
} from "./store.js";
import { setNow } from "./times.js";

const SAID = {
  dispatch_failed: "The app is not connected, so nobody heard this.",
  operation_timeout: "The app did not answer within three seconds.",
};
const drafts = new Map(); // channel id -> what was typed and not sent
let stopFollowing = () => {};
let running = null; // the refresh under way
let again = false; // something changed while it ran
let shownChannel = null;
let jumpTo = null; // ts of a message to show once it is there

const does = { act, actOnView, openThread, refresh, changed: show, say: (words) => main.say(words) };
const main = composer({ id: "composer", label: "Message", commands: true, send: (text) => say(text) });
const threadComposer = composer({
  id: "thread-composer",
  label: "Reply",
  commands: false,
  send: (text) => say(text, store.panel.ts),
});

// -- changes coming in

/** Fetch the state and show it; calls while one is under way are folded into one more. */
function refresh() {
  if (running) {
    again = true;
    return running;
  }
  running = (async () => {
    do {
      again = false;
      const user = store.user;
      const data = await getState(user);
      if (user === store.user) take(data);
    } while (again);
  })().finally(() => (running = null));
  return running;
}

function take(data) {
  store.data = data;
  setNow(data.now);
  store.user = data.me.id;
  store.baseline ??= newestTs();
  show();
}

function start() {
  stopFollowing();
  const onVersion = (version) => version !== store.data?.version && refresh().catch(() => link(false));
  stopFollowing = follow(store.user, onVersion, link);
}

function link(up) {
  byId("offline").hidden = up;
}

async function boot() {
  wire();
  for (;;) {
    try {
      await nameToId();
      await refresh();
      break;
    } catch {
      link(false);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  route();
  start();
}

/** `?as=ana` names a person; the server knows people by id. */
async function nameToId() {
  if (!store.user) return;
  const { users } = await getState("");
  store.user = (users.find((user) => !user.is_bot && [user.id, user.name].includes(store.user)) ?? { id: "" }).id;
}

// -- what is open

function route() {
  const [slug, ts] = location.hash.slice(1).split("/");
  if (!slug && ts === "app") openHome();
  const channel =
    channelNamed(decodeURIComponent(slug)) ??
    channelOf(store.channel) ??
    store.data.channels.find((one) => one.is_member && !one.is_archived) ??
    store.data.channels[0];
  if (channel.id !== store.channel) {
    drafts.set(store.channel, main.input.value);
    store.channel = channel.id;
    if (store.panel?.kind !== "home" || slug) store.panel = null;
    main.reset(drafts.get(channel.id) ?? "", `Message ${isDirect(channel) ? "" : "#"}${titleOf(channel)}`);
  }
  document.body.classList.remove("rail-open");
  byId("rail-toggle").setAttribute("aria-expanded", "false");
  const target = ts ? messagesOf(channel.id).find((message) => message.ts === ts) : null;
  if (target && isReply(target)) store.panel = { kind: "thread", ts: target.thread_ts };
  jumpTo = target?.ts ?? null;
  show();
}

function show() {
  if (!store.data || !store.channel) return;
  const channel = channelOf(store.channel);
  if (!channel) {
    store.channel = null;
    route();
    return;
  }
  if (!document.hidden) markRead(channel.id);
  showHead(channel);
  showLog(channel);
  showFoot(channel);
  showPanel(does, threadComposer);
  showRail();
  showModal(does);
  const unread = unreadTotal();
  document.title = `${unread ? `(${unread}) ` : ""}${isDirect(channel) ? "" : "#"}${titleOf(channel)} · ${store.data.team.name}`;
  if (jumpTo) jump();
}

function showLog(channel) {
  const scroller = byId("scroller");
  const switched = shownChannel !== `${store.data.me.id} ${channel.id}`;
  const atEnd = switched || nearEnd();
  const log = byId("log");
  if (switched) {
    shownChannel = `${store.data.me.id} ${channel.id}`;
    log.replaceChildren();
    log.entries = undefined;
    // A log that is being filled for the first time is not news to a screen reader.
    log.setAttribute("aria-live", "off");
    setTimeout(() => log.setAttribute("aria-live", "polite"), 500);
    log.setAttribute("aria-label", `Messages in ${titleOf(channel)}`);
    byId("intro").replaceChildren(...intro(channel));
  }
  const before = log.childElementCount;
  const messages = visibleIn(channel.id).filter((message) => !isReply(message));
  showMessages(log, messages, does);
  if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  else if (log.childElementCount > before) byId("latest").hidden = false;
}

function nearEnd() {
  const scroller = byId("scroller");
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
}

function intro(channel) {
  if (isDirect(channel)) return [h("h2", {}, titleOf(channel)), h("p", {}, "Only the two of you read this.")];
  return [
    h("h2", {}, icon(channel.is_private ? "lock" : "hash"), channel.name),
    h("p", {}, channel.purpose ? inline(channel.purpose.replaceAll("\n", " ")) : "This is where the channel begins."),
  ];
}

function showFoot(channel) {
  const closed = channel.is_archived
    ? "This channel is archived. It can be read, not written to."
    : channel.is_member
      ? ""
      : `You are reading #${channel.name} without being a member.`;
  byId("composer-place").hidden = Boolean(closed);
  byId("closed").hidden = !closed;
  if (byId("closed").dataset.words === closed + channel.id) return;
  byId("closed").dataset.words = closed + channel.id;
  byId("closed").replaceChildren(
    h("span", {}, closed),
    channel.is_archived
      ? ""
      : h("button", { type: "button", class: "button solid primary", onclick: () => join(channel) }, "Join channel"),
  );
}

function jump() {
  const target = [...document.querySelectorAll("#panel-body [data-ts], #log [data-ts]")].find(
    (node) => node.dataset.ts === jumpTo && !node.querySelector(".jump"),
  );
  if (!target) return;
  jumpTo = null;
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
  target.classList.add("flash");
  setTimeout(() => target.classList.remove("flash"), 2000);
}

function togglePanel(kind) {
  const closes = store.panel?.kind === kind;
  if (kind === "home" && !closes) openHome();
  else store.panel = closes ? null : { kind };
  show();
}

/** Show the app's Home tab; the app hears of it and writes it anew. */
function openHome() {
  store.panel = { kind: "home" };
  post("home", { user: store.data.me.id });
}

function openThread(message) {
  store.panel = { kind: "thread", ts: message.thread_ts ?? message.ts };
  show();
}

function closePanel() {
  store.panel = null;
  if (location.hash === "#/app") history.replaceState(null, "", `#${slugOf(channelOf(store.channel))}`);
  show();
  main.input.focus();
}

// -- what a person does

async function say(text, threadTs) {
  const channel = store.channel;
  if (threadTs && text.startsWith("/"))
    return "Slash commands do not work in threads. Use a button, or write it in the channel.";
  const known = new Set(store.data.ephemerals.map((note) => note.ts));
  const answer = await post("say", { user: store.data.me.id, channel, text, ...(threadTs ? { thread_ts: threadTs } : {}) });
  await refresh().catch(() => link(false));
  if (!threadTs && channel === store.channel) byId("scroller").scrollTop = byId("scroller").scrollHeight;
  if (answer.ok) return "";
  // The server also leaves Slackbot's words in the channel as a private note; once is enough.
  const noted = store.data.ephemerals.some(
    (note) => !known.has(note.ts) && note.user === "USLACKBOT" && note.text === answer.error,
  );
  return noted ? "" : answer.error;
}

async function act(message, block, element, choice, node) {
  store.trouble.delete(message.ts);
  const words = await pressed(node, { channel: message.channel, ts: message.ts }, block, element, choice);
  if (words) store.trouble.set(message.ts, words);
  show();
}

async function actOnView(view, block, element, choice, node, onTrouble = (words) => main.say(words)) {
  const words = await pressed(node, { view_id: view.id }, block, element, choice);
  if (words) onTrouble(words);
}

/** Tell the server of a click or a choice; the control shows that it is busy until the app has acknowledged. */
async function pressed(node, where, block, element, choice) {
  if (node.getAttribute("aria-busy")) return "";
  node.setAttribute("aria-busy", "true");
  const body = { user: store.data.me.id, ...where, block_id: block.block_id, action_id: element.action_id };
  if (element.type === "button") body.value = element.value;
  else body[keyOf(element) === "value" ? "value" : "selected_option"] = choice;
  const answer = await post("act", body);
  node.removeAttribute("aria-busy");
  await refresh().catch(() => link(false));
  return answer.ok ? "" : (SAID[answer.error] ?? answer.error ?? "This did not work.");
}

async function join(channel) {
  const from = store.data.channels.find((one) => one.is_member && !one.is_archived && !isDirect(one));
  const answer = await post("say", { user: store.data.me.id, channel: from?.id ?? channel.id, text: `/join #${channel.name}` });
  if (!answer.ok) byId("closed").prepend(h("span", { class: "trouble", role: "alert" }, answer.error));
  await refresh();
}

function become(userId) {
  store.user = userId;
  store.panel = null;
  const { name } = store.data.users.find((user) => user.id === userId);
  history.replaceState(null, "", `?as=${encodeURIComponent(name)}${location.hash}`);
  refresh().then(start, () => link(false));
}

// -- wiring

function wire() {
  byId("composer-place").append(main.box);
  for (const place of document.querySelectorAll("[data-icon]")) place.prepend(icon(place.dataset.icon));
  wireModal(does);
  window.addEventListener("hashchange", () => store.data && route());
  document.addEventListener("visibilitychange", () => !document.hidden && show());
  byId("me").addEventListener("change", (event) => become(event.target.value));
  for (const kind of ["members", "pins", "home"]) byId(kind).addEventListener("click", () => togglePanel(kind));
  byId("panel-close").addEventListener("click", closePanel);
  byId("rail-toggle").addEventListener("click", () => {
    const open = document.body.classList.toggle("rail-open");
    byId("rail-toggle").setAttribute("aria-expanded", String(open));
  });
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the channel, not a place on the page
    main.input.focus();
  });
  byId("veil").addEventListener("click", () => document.body.classList.remove("rail-open"));
  byId("rail").addEventListener("click", (event) => event.target.closest("a") && document.body.classList.remove("rail-open"));
  byId("latest").addEventListener("click", () => (byId("scroller").scrollTop = byId("scroller").scrollHeight));
  byId("scroller").addEventListener("scroll", () => nearEnd() && (byId("latest").hidden = true));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open], .menu")) return;
    if (document.body.classList.contains("rail-open")) document.body.classList.remove("rail-open");
    else if (store.panel) closePanel();
  });
}

boot();
