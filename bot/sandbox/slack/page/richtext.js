// rich_text blocks: sections, lists, quotes and preformatted text.

import { h } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { channelNode, groupNode, linkNode, mentionNode } from "./mrkdwn.js";
import { dateToken, fullTime } from "./times.js";

export function richText(block) {
  return block.elements.map((part) => {
    switch (part.type) {
      case "rich_text_list":
        return list(part);
      case "rich_text_preformatted":
        return h("pre", { class: "pre" }, part.elements.map(piece));
      case "rich_text_quote":
        return h("blockquote", {}, part.elements.map(piece));
      default:
        return h("div", { class: "rt-line" }, part.elements.map(piece));
    }
  });
}

function list(part) {
  const node = h(
    part.style === "ordered" ? "ol" : "ul",
    { start: part.offset ? part.offset + 1 : null },
    part.elements.map((item) => h("li", {}, item.elements.map(piece))),
  );
  if (part.indent) node.style.marginLeft = `${Math.min(part.indent, 8) * 1.4}em`;
  return node;
}

function piece(part) {
  return styled(part.style ?? {}, bare(part));
}

function bare(part) {
  switch (part.type) {
    case "text":
      return part.text.split("\n").flatMap((row, n) => (n ? [h("br"), row] : [row]));
    case "link":
      return linkNode(part.url, part.text || part.url);
    case "user":
      return mentionNode(part.user_id);
    case "channel":
      return channelNode(part.channel_id);
    case "usergroup":
      return groupNode(part.usergroup_id);
    case "broadcast":
      return h("span", { class: "mention loud" }, `@${part.range}`);
    case "emoji":
      return emojiNode(part.name) ?? `:${part.name}:`;
    case "date": {
      const date = dateToken(String(part.timestamp), part.format);
      return date
        ? h("time", { datetime: date.moment.toISOString(), title: fullTime(date.moment) }, date.words)
        : (part.fallback ?? "");
    }
    default:
      return part.value ?? part.text ?? "";
  }
}

function styled(style, node) {
  let out = node;
  for (const [name, tag] of [
    ["code", "code"],
    ["bold", "strong"],
    ["italic", "em"],
    ["strike", "s"],
  ]) {
    if (style[name]) out = h(tag, {}, out);
  }
  return out;
}
