// Slack's mrkdwn as nodes. Nothing in it can become markup: a tag that is not one of Slack's stays literal text.

import { h, safeUrl } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { channelOf, nameOf, slugOf, store, userOf } from "./store.js";
import { dateToken, fullTime } from "./times.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const EMPHASIS = { "*": "strong", _: "em", "~": "s" };
const QUOTE = /^(?:&gt;|>) ?/;
const BULLET = /^[•◦] /; // typed by hand; only the wrapped lines are set in
const BARE_URL = /^https?:\/\/[^\s<>"'`|]+[^\s<>"'`|.,:;!?)\]}*_~]/;
const PERMALINK = /^https:\/\/[\w-]+\.slack\.com\/archives\/([A-Z0-9]+)\/p(\d{10})(\d{6})/;

/** The three entities that Slack knows, and no others. */
export function unescaped(text) {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);
}

/** A plain_text object or a label: emoji names and entities, no other formatting. */
export function plainText(object) {
  const text = unescaped(typeof object === "string" ? object : (object?.text ?? ""));
  if (object?.emoji === false) return [text];
  return text.split(/(:[a-z0-9_+'-]+:)/g).map((part) => (part.startsWith(":") && emojiNode(part.slice(1, -1))) || part);
}

/** A text object of either type as an array of nodes. */
export function textObject(object) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : lines(plainText(object));
}

/** The nodes of a mrkdwn text: code blocks, quotes and lines. */
export function mrkdwn(text) {
  const nodes = [];
  const parts = String(text ?? "").split("```");
  const closed = parts.length % 2 === 1;
  parts.forEach((part, n) => {
    const last = n === parts.length - 1;
    if (n % 2 === 1 && (closed || !last))
      nodes.push(h("pre", { class: "pre" }, verbatim(part.replace(/^\n/, "").replace(/\n$/, ""))));
    else nodes.push(...quotesAndLines((n % 2 === 1 ? "```" : "") + (n > 0 && closed ? part.replace(/^\n/, "") : part), !last));
  });
  return nodes;
}

function quotesAndLines(text, beforePre) {
  const nodes = [];
  const rows = (beforePre ? text.replace(/\n$/, "") : text).split("\n");
  if (rows.length === 1 && rows[0] === "") return nodes;
  for (let n = 0; n < rows.length; n += 1) {
    if (QUOTE.test(rows[n])) {
      const quote = h("blockquote");
      const everything = /^(?:&gt;|>){3}/.test(rows[n]);
      for (let first = true; n < rows.length && (everything || QUOTE.test(rows[n])); n += 1, first = false) {
        if (!first) quote.append(h("br"));
        quote.append(
          ...inline(
            everything && first ? rows[n].replace(/^(?:&gt;|>){3} ?/, "") : everything ? rows[n] : rows[n].replace(QUOTE, ""),
          ),
        );
      }
      nodes.push(quote);
      n -= 1;
    } else {
      const bullet = BULLET.test(rows[n]);
      if (n > 0 && !bullet && !QUOTE.test(rows[n - 1]) && !BULLET.test(rows[n - 1])) nodes.push(h("br"));
      nodes.push(...(bullet ? [h("span", { class: "bullet" }, inline(rows[n]))] : inline(rows[n])));
    }
  }
  return nodes;
}

/** One line: tokens in angle brackets, code, emphasis, emoji and bare addresses. */
export function inline(line) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(unescaped(plain));
    plain = "";
  };
  for (let at = 0; at < line.length;) {
    const found = tokenAt(line, at) ?? codeAt(line, at) ?? emphasisAt(line, at) ?? emojiAt(line, at) ?? addressAt(line, at);
    if (found) {
      flush();
      nodes.push(found.node);
      at = found.end;
    } else {
      plain += line[at];
      at += 1;
    }
  }
  flush();
  return nodes;
}

/** Code: tokens are still resolved, everything else stays as typed. */
function verbatim(text) {
  const nodes = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const found = tokenAt(text, at);
    if (!found) continue;
    nodes.push(unescaped(text.slice(from, at)), found.node);
    from = found.end;
    at = found.end - 1;
  }
  nodes.push(unescaped(text.slice(from)));
  return nodes;
}

function codeAt(line, at) {
  if (line[at] !== "`") return null;
  const end = line.indexOf("`", at + 1);
  if (end <= at + 1) return null;
  return { node: h("code", {}, verbatim(line.slice(at + 1, end))), end: end + 1 };
}

function emphasisAt(line, at) {
  const mark = line[at];
  const tag = EMPHASIS[mark];
  if (
    !tag ||
    /[\p{L}\p{N}]/u.test(line[at - 1] ?? " ") ||
    line[at - 1] === mark ||
    /\s|^$/.test(line[at + 1] ?? "") ||
    line[at + 1] === mark
  )
    return null;
  for (let end = at + 2; end < line.length; end += 1) {
    const skip = tokenAt(line, end) ?? codeAt(line, end);
    if (skip) {
      end = skip.end - 1;
      continue;
    }
    if (line[end] !== mark || /\s/.test(line[end - 1]) || /[\p{L}\p{N}]/u.test(line[end + 1] ?? " ")) continue;
    return { node: h(tag, {}, inline(line.slice(at + 1, end))), end: end + 1 };
  }
  return null;
}

function emojiAt(line, at) {
  if (line[at] !== ":") return null;
  const match = /^:([a-z0-9_+'-]+):(?::skin-tone-[2-6]:|(?=.|$))/.exec(line.slice(at, at + 80));
  const node = match ? emojiNode(match[1]) : null;
  return node ? { node, end: at + match[0].length } : null;
}

function addressAt(line, at) {
  if (line[at] !== "h" || /\w/.test(line[at - 1] ?? " ")) return null;
  const match = BARE_URL.exec(line.slice(at));
  const address = match ? match[0].replace(/&(?:lt|gt);.*$/, "") : "";
  return address.length > 8 ? { node: linkNode(unescaped(address), unescaped(address)), end: at + address.length } : null;
}

function tokenAt(text, at) {
  if (text[at] !== "<") return null;
  const end = text.indexOf(">", at);
  if (end === -1) return null;
  const inside = text.slice(at + 1, end);
  const bar = inside.indexOf("|");
  const [body, label] = bar === -1 ? [inside, ""] : [inside.slice(0, bar), inside.slice(bar + 1)];
  const node = tokenNode(body, label);
  return node ? { node, end: end + 1 } : null;
}

function tokenNode(body, label) {
  if (/^@[UW][A-Z0-9]+$/.test(body)) return mentionNode(body.slice(1), label);
  if (/^#[CDG][A-Z0-9]+$/.test(body)) return channelNode(body.slice(1), label);
  if (/^!(here|channel|everyone)$/.test(body)) return h("span", { class: "mention loud" }, `@${body.slice(1)}`);
  if (body.startsWith("!subteam^")) return groupNode(body.slice(9), label);
  if (body.startsWith("!date^")) return dateNode(body, label);
  if (/^(https?:\/\/|mailto:)/i.test(body))
    return linkNode(unescaped(body), label ? plainText(label) : unescaped(body.replace(/^mailto:/i, "")));
  return null;
}

export function mentionNode(id, label = "") {
  const user = userOf(id);
  const mine = id === store.data.me.id ? "mine" : "";
  return h(
    "span",
    { class: `mention ${mine}`, title: user ? nameOf(user) : id },
    `@${user?.name ?? (unescaped(label).replace(/^@/, "") || id)}`,
  );
}

export function channelNode(id, label = "") {
  const channel = channelOf(id);
  const name = channel?.name || unescaped(label) || "private-channel";
  return channel
    ? h("a", { class: "mention", href: `#${slugOf(channel)}` }, `#${name}`)
    : h("span", { class: "mention" }, `#${name}`);
}

export function groupNode(id, label = "") {
  const group = (store.data.groups ?? []).find((one) => one.id === id);
  return h("span", { class: "mention" }, `@${unescaped(label).replace(/^@/, "") || group?.handle || "group"}`);
}

function dateNode(body, fallback) {
  const [, seconds = "", pattern = "", address] = body.split("^");
  const date = dateToken(seconds, unescaped(pattern));
  if (!date) return document.createTextNode(unescaped(fallback) || unescaped(pattern));
  const node = h("time", { datetime: date.moment.toISOString(), title: fullTime(date.moment) }, date.words);
  return address ? linkNode(unescaped(address), [node]) : node;
}

/** A link out, or within the page when it is the permalink of a message here; an unsafe address stays text. */
export function linkNode(address, label) {
  const url = safeUrl(address);
  if (!url) return h("span", {}, label);
  const permalink = PERMALINK.exec(url);
  const channel = permalink ? channelOf(permalink[1]) : null;
  if (channel) return h("a", { href: `#${slugOf(channel)}/${permalink[2]}.${permalink[3]}` }, label);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

function lines(parts) {
  return parts.flatMap((part) =>
    typeof part === "string" ? part.split("\n").flatMap((row, n) => (n ? [h("br"), row] : [row])) : [part],
  );
}
