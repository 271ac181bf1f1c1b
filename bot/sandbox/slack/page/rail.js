// The left rail: who you are, the channels and the people.

import { avatar, byId, h, icon } from "./dom.js";
import { directWith, isDirect, nameOf, slugOf, store, unreadIn } from "./store.js";

let shown = "";

/** Bring the rail up to date; it is rebuilt only when something in it changed, so that focus stays. */
export function showRail() {
  const { team, me, users } = store.data;
  const channels = store.data.channels
    .filter((channel) => !isDirect(channel))
    .map((channel) => ({ channel, unread: unreadIn(channel) }));
  const people = users
    .filter((user) => user.id !== "USLACKBOT")
    .map((user) => {
      const direct = directWith(user.id);
      return { user, direct, unread: direct && user.id !== me.id ? unreadIn(direct) : { count: 0, mentions: 0 } };
    });
  const signature = JSON.stringify([
    team,
    me,
    users,
    store.channel,
    store.panel?.kind,
    channels.map(({ channel: c, unread }) => [c.id, c.name, c.is_archived, c.is_private, c.is_member, unread]),
    people.map(({ direct, unread }) => [direct?.id, unread]),
  ]);
  if (signature === shown) return;
  shown = signature;
  byId("team").textContent = team.name;
  showMe(users, me);
  keepFocus(byId("rail-lists"), () => {
    byId("channels").replaceChildren(...channels.sort(byRank).map(channelLink));
    byId("people").replaceChildren(...people.sort((a, b) => Number(b.user.is_bot) - Number(a.user.is_bot)).map(personLink));
  });
}

/** How many channels and direct messages hold something unread. */
export function unreadTotal() {
  return store.data.channels.reduce((sum, channel) => sum + (unreadIn(channel).count ? 1 : 0), 0);
}

function showMe(users, me) {
  const select = byId("me");
  select.replaceChildren(
    ...users
      .filter((user) => !user.is_bot)
      .map((user) => h("option", { value: user.id, selected: user.id === me.id }, user.name)),
  );
  select.value = me.id;
  byId("me-face").replaceChildren(avatar(me));
}

function byRank(a, b) {
  const rank = ({ channel }) => (channel.is_archived ? 2 : channel.is_member ? 0 : 1);
  return rank(a) - rank(b) || a.channel.name.localeCompare(b.channel.name);
}

function channelLink({ channel, unread }) {
  const open = channel.id === store.channel;
  const kind = `${unread.count ? "unread" : ""} ${channel.is_archived ? "archived" : ""} ${channel.is_member ? "" : "outside"}`;
  const said = [
    channel.is_private ? "private" : "",
    channel.is_archived ? "archived" : "",
    unread.count ? `${unread.count} unread` : "",
  ]
    .filter(Boolean)
    .join(", ");
  return h(
    "li",
    {},
    h(
      "a",
      {
        class: `rail-link ${kind}`,
        href: `#${slugOf(channel)}`,
        data: { channel: channel.name },
        title: channel.name,
        "aria-current": open ? "page" : null,
        "aria-label": said ? `${channel.name}, ${said}` : null,
      },
      icon(channel.is_archived ? "archive" : channel.is_private ? "lock" : "hash"),
      h("span", { class: "rail-name" }, channel.name),
      unread.mentions ? h("span", { class: "pill" }, String(unread.mentions)) : null,
    ),
  );
}

function personLink({ user, direct, unread }) {
  const mine = user.id === store.data.me.id;
  const inside = [
    avatar(user, "small"),
    h("span", { class: "rail-name" }, nameOf(user), mine ? h("small", {}, " you") : null),
    user.is_bot ? h("span", { class: "badge" }, "APP") : null,
    unread.count ? h("span", { class: "pill" }, String(unread.count)) : null,
  ];
  const place = direct && !mine ? `#${direct.id}` : user.is_bot ? "#/app" : null;
  const attributes = {
    class: `rail-link ${unread.count ? "unread" : ""}`,
    data: { user: user.name },
    "aria-current": direct && !mine && direct.id === store.channel ? "page" : null,
  };
  return h(
    "li",
    {},
    place
      ? h("a", { ...attributes, href: place }, inside)
      : h("span", { ...attributes, class: `${attributes.class} plain` }, inside),
  );
}

function keepFocus(box, change) {
  const { channel, user } =
    document.activeElement && box.contains(document.activeElement) ? document.activeElement.dataset : {};
  change();
  if (channel || user)
    [...box.querySelectorAll("[data-channel], [data-user]")]
      .find((one) => (channel ? one.dataset.channel === channel : one.dataset.user === user))
      ?.focus();
}
