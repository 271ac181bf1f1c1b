// The head of a channel: its name, topic, bookmarks, and how many members and pins it has.

import { byId, h, icon, safeUrl } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { inline, unescaped } from "./mrkdwn.js";
import { isDirect, store, titleOf } from "./store.js";

let shown = "";

/** Bring the head up to date; it is rebuilt only when something in it changed, so that focus stays. */
export function showHead(channel) {
  const signature = JSON.stringify([channel, store.data.users.length, store.panel?.kind]);
  if (signature === shown) return;
  shown = signature;
  const name = h("span", { title: titleOf(channel) }, titleOf(channel));
  byId("channel-name").replaceChildren(isDirect(channel) ? "" : icon(channel.is_private ? "lock" : "hash"), name);
  byId("topic").replaceChildren(...(channel.topic ? inline(channel.topic.replaceAll("\n", " ")) : []));
  byId("topic").title = unescaped(channel.topic ?? "");
  headButton("members", channel.members.length, channel.members.length === 1 ? "member" : "members");
  headButton("pins", channel.pins.length, "pinned");
  byId("pins").hidden = channel.pins.length === 0;
  byId("members").hidden = isDirect(channel);
  byId("home").hidden = !isDirect(channel);
  byId("bookmarks").hidden = channel.bookmarks.length === 0;
  byId("bookmarks").replaceChildren(...channel.bookmarks.map(bookmark));
}

function headButton(id, count, word) {
  byId(id).querySelector(".count").textContent = String(count);
  byId(id).setAttribute("aria-label", `${count} ${word}`);
  byId(id).setAttribute("aria-pressed", String(store.panel?.kind === id));
}

function bookmark({ title, link: address, emoji }) {
  const url = safeUrl(unescaped(address ?? ""));
  const inside = [
    h(
      "span",
      { class: "bookmark-icon", "aria-hidden": "true" },
      (emoji && emojiNode(emoji.replaceAll(":", ""))) || icon("bookmark"),
    ),
    unescaped(title),
  ];
  return url
    ? h("a", { class: "bookmark", href: url, target: "_blank", rel: "noopener noreferrer" }, inside)
    : h("span", { class: "bookmark" }, inside);
}
