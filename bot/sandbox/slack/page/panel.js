// The right-hand panel: a thread with its own composer, the pins, the members, or the app's Home tab.

import { blocks } from "./blocks.js";
import { avatar, byId, h, icon } from "./dom.js";
import { showMessages } from "./messages.js";
import { channelOf, isReply, messagesOf, nameOf, store, titleOf, userOf, visibleIn } from "./store.js";

let shown = ""; // which panel the nodes belong to

/** Bring the panel up to date. `does` as for messages, with actOnView; `composer` is the thread's, moved in and out. */
export function showPanel(does, composer) {
  const panel = byId("panel");
  const wanted = store.panel ? `${store.panel.kind} ${store.channel} ${store.panel.ts ?? ""}` : "";
  panel.hidden = !store.panel;
  document.body.classList.toggle("has-panel", Boolean(store.panel));
  if (wanted !== shown) {
    byId("panel-body").replaceChildren();
    byId("panel-body").entries = undefined;
    byId("panel-foot").replaceChildren();
  }
  const fresh = wanted !== shown;
  shown = wanted;
  if (!store.panel) return;
  const { title, under, fill } = { thread: showThread, pins: showPins, members: showMembers, home: showHome }[store.panel.kind](
    does,
    composer,
    fresh,
  );
  byId("panel-title").textContent = title;
  byId("panel-under").textContent = under;
  fill(byId("panel-body"));
  if (fresh) panel.setAttribute("aria-label", title);
}

function showThread(does, composer, fresh) {
  const channel = channelOf(store.channel);
  const root = messagesOf(channel.id).find((message) => message.ts === store.panel.ts);
  const replies = visibleIn(channel.id).filter((message) => isReply(message) && message.thread_ts === store.panel.ts);
  const fill = (body) => {
    const atEnd = fresh || body.scrollHeight - body.scrollTop - body.clientHeight < 80;
    showMessages(body, root ? [root, ...replies] : replies, does, { inThread: true });
    if (fresh && !channel.is_archived) {
      byId("panel-foot").replaceChildren(composer.box);
      composer.reset("", "Reply…");
      if (matchMedia("(hover: hover)").matches) composer.input.focus(); // on a phone the keyboard would cover the thread
    }
    if (atEnd) body.scrollTop = body.scrollHeight;
  };
  return { title: "Thread", under: `in ${channel.id.startsWith("D") ? "" : "#"}${titleOf(channel)}`, fill };
}

function showPins(does) {
  const channel = channelOf(store.channel);
  const pinned = messagesOf(channel.id).filter((message) => channel.pins.includes(message.ts));
  const fill = (body) => {
    if (pinned.length) showMessages(body, pinned, does, { jump: true });
    else body.replaceChildren(h("p", { class: "empty" }, "Nothing is pinned here."));
  };
  return { title: "Pinned", under: `in #${titleOf(channel)}`, fill };
}

function showMembers() {
  const channel = channelOf(store.channel);
  const rows = channel.members
    .map(userOf)
    .filter(Boolean)
    .map((user) =>
      h(
        "li",
        {},
        avatar(user, "small"),
        h("span", {}, nameOf(user), h("small", {}, ` @${user.name}`)),
        user.is_bot ? h("span", { class: "badge" }, "APP") : null,
      ),
    );
  return {
    title: "Members",
    under: `of #${titleOf(channel)}`,
    fill: (body) => body.replaceChildren(h("ul", { class: "members" }, rows)),
  };
}

function showHome(does) {
  const home = store.data.home;
  const place = {
    put: () => {},
    value: () => undefined,
    act: (block, element, choice, node) => does.actOnView(home, block, element, choice, node),
  };
  const fill = (body) => {
    const signature = JSON.stringify([home?.hash, store.data.version, home?.blocks.length]);
    if (body.dataset.signature === signature) return;
    body.dataset.signature = signature;
    if (home) body.replaceChildren(h("div", { class: "home blocks" }, blocks(home.blocks, place)));
    else
      body.replaceChildren(
        h(
          "p",
          { class: "empty" },
          icon("reply"),
          "The app has not written to you yet. In a channel, type / to see what it can do.",
        ),
      );
  };
  const app = store.data.users.find((user) => user.is_bot && user.id !== "USLACKBOT");
  return { title: nameOf(app), under: "Home", fill };
}
