// Standard Markdown for the `markdown` block and for previews of .md files: the parts that incident texts use.

import { h } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { linkNode } from "./mrkdwn.js";

const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const CELLS_RULE = /^\s*\|?\s*:?-{1,}:?\s*(\|\s*:?-{1,}:?\s*)*\|?\s*$/;

/** The block nodes of a Markdown text. */
export function markdown(text) {
  const rows = String(text ?? "")
    .replace(/\r\n?/g, "\n")
    .split("\n");
  const nodes = [];
  for (let at = 0; at < rows.length;) {
    const [node, next] = blockAt(rows, at);
    if (node) nodes.push(node);
    at = next;
  }
  return nodes;
}

function blockAt(rows, at) {
  const row = rows[at];
  if (!row.trim()) return [null, at + 1];
  if (/^\s*(```|~~~)/.test(row)) return fenced(rows, at);
  const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(row);
  if (heading)
    return [
      h(
        "div",
        { class: `md-h md-h${heading[1].length}`, role: "heading", "aria-level": heading[1].length + 2 },
        spans(heading[2]),
      ),
      at + 1,
    ];
  if (RULE.test(row)) return [h("hr"), at + 1];
  if (/^\s*>/.test(row)) return quoted(rows, at);
  if (ITEM.test(row)) return listed(rows, at);
  if (row.includes("|") && CELLS_RULE.test(rows[at + 1] ?? "")) return tabled(rows, at);
  return paragraph(rows, at);
}

function fenced(rows, at) {
  const fence = rows[at].trim().slice(0, 3);
  let end = at + 1;
  while (end < rows.length && !rows[end].trim().startsWith(fence)) end += 1;
  return [h("pre", { class: "pre" }, rows.slice(at + 1, end).join("\n")), end + 1];
}

function quoted(rows, at) {
  let end = at;
  while (end < rows.length && /^\s*>/.test(rows[end])) end += 1;
  const inside = rows
    .slice(at, end)
    .map((row) => row.replace(/^\s*> ?/, ""))
    .join("\n");
  return [h("blockquote", {}, markdown(inside)), end];
}

function listed(rows, at) {
  const [, indent, mark] = ITEM.exec(rows[at]);
  const list = h(/\d/.test(mark) ? "ol" : "ul", /\d/.test(mark) ? { start: parseInt(mark, 10) } : {});
  let end = at;
  while (end < rows.length) {
    const item = ITEM.exec(rows[end]);
    if (!item || item[1].length < indent.length || /\d/.test(item[2]) !== /\d/.test(mark)) break;
    if (item[1].length > indent.length + 1) {
      const [inner, next] = listed(rows, end);
      (list.lastElementChild ?? list).append(inner);
      end = next;
      continue;
    }
    const box = /^\[([ xX])\]\s+(.*)$/.exec(item[3]);
    list.append(box ? h("li", { class: "task" }, box[1] === " " ? "☐ " : "☑ ", spans(box[2])) : h("li", {}, spans(item[3])));
    end += 1;
  }
  return [list, end];
}

function tabled(rows, at) {
  const cells = (row) =>
    row
      .trim()
      .replace(/^\||\|$/g, "")
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
  const body = h("tbody");
  let end = at + 2;
  for (; end < rows.length && rows[end].includes("|"); end += 1)
    body.append(
      h(
        "tr",
        {},
        cells(rows[end]).map((cell) => h("td", {}, spans(cell))),
      ),
    );
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      cells(rows[at]).map((cell) => h("th", { scope: "col" }, spans(cell))),
    ),
  );
  return [h("div", { class: "table-scroll" }, h("table", {}, head, body)), end];
}

function paragraph(rows, at) {
  const node = h("p", {}, spans(rows[at].trim()));
  let end = at + 1;
  while (
    end < rows.length &&
    rows[end].trim() &&
    !/^\s*(```|~~~|>|#{1,6}\s)/.test(rows[end]) &&
    !ITEM.test(rows[end]) &&
    !RULE.test(rows[end])
  ) {
    node.append(h("br"), ...spans(rows[end].trim()));
    end += 1;
  }
  return [node, end];
}

const SPANS = [
  [/^\\([\\`*_{}[\]()#+\-.!|~<>&])/, (m) => m[1]],
  [/^`+([^`]+)`+/, (m) => h("code", {}, m[1])],
  [/^!?\[((?:[^[\]]|\[[^\]]*\])*)\]\(<?([^\s)>]+)>?(?:\s+"[^"]*")?\)/, (m) => linkNode(m[2], m[1] ? spans(m[1]) : m[2])],
  [/^<(https?:\/\/[^\s>]+)>/, (m) => linkNode(m[1], m[1])],
  [/^(\*\*|__)(?=\S)(.+?\S|\S)\1/, (m) => h("strong", {}, spans(m[2]))],
  [/^~~(?=\S)(.+?)~~/, (m) => h("s", {}, spans(m[1]))],
  [/^\*(?=[^\s*])(.*?[^\s*])\*(?!\*)/, (m) => h("em", {}, spans(m[1]))],
  [/^_(?=[^\s_])(.*?[^\s_])_(?!\w)/, (m, before) => (/\w/.test(before) ? null : h("em", {}, spans(m[1])))],
  [/^https?:\/\/[^\s<>"'`|]+[^\s<>"'`|.,:;!?)\]}*_~]/, (m, before) => (/\w/.test(before) ? null : linkNode(m[0], m[0]))],
  [/^:([a-z0-9_+'-]+):/, (m) => emojiNode(m[1])],
  [/^&(lt|gt|amp|quot|#39);/, (m) => ({ lt: "<", gt: ">", amp: "&", quot: '"', "#39": "'" })[m[1]]],
];

function spans(text) {
  const nodes = [];
  let plain = "";
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    let taken = 0;
    for (const [pattern, build] of SPANS) {
      const match = pattern.exec(rest);
      const node = match ? build(match, text[at - 1] ?? " ") : null;
      if (node === null) continue;
      if (plain) nodes.push(plain);
      plain = "";
      nodes.push(node);
      taken = match[0].length;
      break;
    }
    if (!taken) plain += text[at];
    at += taken || 1;
  }
  if (plain) nodes.push(plain);
  return nodes;
}
