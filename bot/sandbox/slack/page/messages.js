// Messages in a list that is brought up to date in place: a message that did not change keeps its node, its open menu and its focus.

import { blocks } from "./blocks.js";
import { avatar, h, icon } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { files } from "./files.js";
import { mrkdwn } from "./mrkdwn.js";
import { channelOf, dismiss, isReply, messagesOf, nameOf, slugOf, store, userOf } from "./store.js";
import { clockTime, dayKey, dayName, fullTime, momentOf } from "./times.js";

const TOGETHER_S = 300; // messages of one author within five minutes share one head
const LOOKS_UP = /<[@#!]|"(?:user_id|channel_id|usergroup_id)"|users_select|channels_select|conversations_select/;

/** Bring `box` up to date with `messages`. `does` holds what a person can do: act, openThread, changed. */
export function showMessages(box, messages, does, { inThread = false, jump = false } = {}) {
  const entries = [];
  let before = null;
  for (const message of messages) {
    const moment = momentOf(message.ts);
    if (!jump && !(inThread && message !== messages[0]) && (!before || dayKey(momentOf(before.ts)) !== dayKey(moment))) {
      entries.push({
        key: `day ${dayKey(moment)}`,
        signature: dayName(moment),
        build: () => h("div", { class: "day", role: "separator" }, h("span", {}, dayName(moment))),
      });
      before = null;
    }
    const together = !jump && Boolean(before) && continues(before, message);
    const thread = inThread ? null : threadOf(message);
    entries.push({
      key: `message ${message.ts}`,
      signature: JSON.stringify([
        message,
        together,
        thread,
        userOf(message.user),
        LOOKS_UP.test(JSON.stringify(message)) ? names() : "",
        store.trouble.get(message.ts),
      ]),
      build: () => messageNode(message, together, thread, does, { inThread, jump }),
    });
    before = message;
    if (inThread && message === messages[0] && messages.length > 1) {
      const words = countOf(messages.length - 1);
      entries.push({
        key: "replies",
        signature: words,
        build: () => h("div", { class: "day replies", role: "separator" }, h("span", {}, words)),
      });
      before = null;
    }
  }
  reconcile(box, entries);
}

function continues(before, message) {
  const plain = (one) => !one.subtype && !one.ephemeral;
  return plain(before) && plain(message) && before.user === message.user && Number(message.ts) - Number(before.ts) < TOGETHER_S;
}

function threadOf(message) {
  if (!message.reply_count || message.ephemeral) return null;
  const replies = messagesOf(message.channel).filter((one) => isReply(one) && one.thread_ts === message.ts);
  return {
    count: message.reply_count,
    users: [...new Set(replies.map((one) => one.user))].slice(0, 4),
    last: replies.at(-1)?.ts ?? null,
  };
}

function countOf(replies) {
  return replies === 1 ? "1 reply" : `${replies} replies`;
}

function names() {
  return [
    store.data.users.map((user) => [user.id, user.name]),
    store.data.channels.map((channel) => [channel.id, channel.name]),
  ];
}

function reconcile(box, entries) {
  const old = box.entries ?? new Map();
  const fresh = new Map();
  let at = box.firstElementChild;
  for (const { key, signature, build } of entries) {
    const kept = old.get(key);
    if (kept && kept.signature === signature) {
      fresh.set(key, kept);
    } else {
      const node = build();
      fresh.set(key, { signature, node });
      if (kept) {
        if (at === kept.node) at = node;
        const focused = kept.node.contains(document.activeElement) ? document.activeElement.dataset.actionId : null;
        kept.node.replaceWith(node);
        if (focused)
          ([...node.querySelectorAll("[data-action-id]")].find((one) => one.dataset.actionId === focused) ?? node).focus();
      }
    }
    const node = fresh.get(key).node;
    if (node === at) at = at.nextElementSibling;
    else box.insertBefore(node, at);
  }
  for (const [key, { node }] of old) {
    if (!fresh.has(key)) node.remove();
  }
  box.entries = fresh;
}

function messageNode(message, together, thread, does, options) {
  if (message.subtype) return systemLine(message);
  const author = userOf(message.user);
  const moment = momentOf(message.ts);
  const kind = [message.ephemeral ? "ephemeral" : "", together ? "together" : ""].join(" ");
  const time = timeLink(message, moment, together);
  const head = together
    ? null
    : h(
        "div",
        { class: "head" },
        h("span", { class: "author" }, nameOf(author)),
        isApp(message, author) ? h("span", { class: "badge" }, "APP") : null,
        time,
      );
  const gutter = h("div", { class: "gutter" }, together ? time : avatar(author));
  const label = `${nameOf(author)}, ${clockTime(moment)}`;
  return h(
    "article",
    {
      class: `message ${kind}`,
      data: { ts: message.ts },
      tabindex: "-1",
      "aria-label": message.ephemeral ? `${label}, only visible to you` : label,
    },
    message.ephemeral ? onlyYou(message, does) : null,
    gutter,
    h("div", { class: "content" }, head, content(message, does), thread ? threadLink(message, thread, does) : null),
    options.jump ? jumpLink(message) : message.ephemeral || options.inThread ? null : toolbar(message, does),
  );
}

function isApp(message, author) {
  return (message.bot || author?.is_bot) && message.user !== "USLACKBOT";
}

function content(message, does) {
  const place = {
    put: () => {},
    value: () => undefined,
    act: (block, element, choice, node) => does.act(message, block, element, choice, node),
  };
  const edited = message.edited ? h("span", { class: "edited" }, "(edited)") : null;
  const body = message.blocks?.length
    ? h("div", { class: "blocks" }, blocks(message.blocks, place), edited)
    : message.text
      ? h("div", { class: "text" }, mrkdwn(message.text), edited && [" ", edited])
      : null;
  const trouble = store.trouble.get(message.ts);
  return [
    body,
    message.files?.length ? files(message.files) : null,
    message.reactions?.length ? h("div", { class: "reactions" }, message.reactions.map(reaction)) : null,
    trouble ? h("div", { class: "trouble", role: "alert" }, icon("warn"), trouble) : null,
  ];
}

function reaction({ name, count }) {
  return h("span", { class: "reaction" }, emojiNode(name) ?? `:${name}:`, ` ${count}`);
}

function timeLink(message, moment, short = false) {
  const words = short ? clockTime(moment).replace(/\s?[AP]M$/i, "") : clockTime(moment);
  const time = h("time", { datetime: moment.toISOString(), title: fullTime(moment) }, words);
  return message.ephemeral ? h("span", { class: "time" }, time) : h("a", { class: "time", href: addressOf(message) }, time);
}

function addressOf(message) {
  return `#${slugOf(channelOf(message.channel))}/${message.ts}`;
}

function onlyYou(message, does) {
  const away = () => {
    dismiss(message.ts);
    does.changed();
  };
  return h(
    "div",
    { class: "only-you" },
    icon("eye"),
    "Only visible to you",
    h("button", { type: "button", class: "quiet", data: { dismiss: message.ts }, onclick: away }, "Dismiss"),
  );
}

function threadLink(message, thread, does) {
  return h(
    "button",
    { type: "button", class: "thread-link", data: { thread: message.ts }, onclick: () => does.openThread(message) },
    h(
      "span",
      { class: "faces" },
      thread.users.map((id) => avatar(userOf(id), "small")),
    ),
    h("span", { class: "count" }, countOf(thread.count)),
    thread.last ? h("span", { class: "last" }, `last at ${clockTime(momentOf(thread.last))}`) : null,
  );
}

function toolbar(message, does) {
  const channel = channelOf(message.channel);
  if (isReply(message) || channel.is_archived) return null;
  return h(
    "div",
    { class: "toolbar" },
    h(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": "Reply in thread",
        title: "Reply in thread",
        data: { reply: message.ts },
        onclick: () => does.openThread(message),
      },
      icon("reply"),
    ),
  );
}

function jumpLink(message) {
  return h("a", { class: "jump", href: addressOf(message) }, "Go to message");
}

function systemLine(message) {
  const moment = momentOf(message.ts);
  const author = message.text.startsWith("<@") ? null : h("strong", {}, nameOf(userOf(message.user)));
  return h(
    "div",
    { class: "system", data: { ts: message.ts } },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", {}, author, author ? " " : null, mrkdwn(message.text)),
    timeLink(message, moment),
  );
}
