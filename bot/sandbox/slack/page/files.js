// Files as cards: a download link, a few lines of a text, a small picture.

import { h, icon } from "./dom.js";
import { markdown } from "./markdown.js";
import { sizeWords } from "./times.js";

const TEXT = /^(text\/(plain|markdown|csv)|application\/json)\b/;
const TEXT_NAME = /\.(md|csv|json|txt|log|ya?ml)$/i;
const PICTURE = /^image\/(png|jpeg|gif|webp|svg\+xml)$/;
const PREVIEW_BYTES_MAX = 400_000;
const LINES = 12;

const texts = new Map(); // a file never changes, so it is fetched once

export function files(list) {
  return h("div", { class: "files" }, list.map(card));
}

function card(file) {
  const address = `/ui/file/${encodeURIComponent(file.id)}`;
  const kind = (file.name.split(".").pop() || "file").toUpperCase().slice(0, 5);
  const node = h(
    "div",
    { class: "file", data: { file: file.id } },
    h(
      "div",
      { class: "file-head" },
      h("span", { class: "file-kind" }, icon("file"), kind),
      h(
        "span",
        { class: "file-name" },
        h("strong", {}, file.title || file.name),
        h("small", {}, `${file.name} · ${sizeWords(file.size ?? 0)}`),
      ),
      h(
        "a",
        { class: "tool", href: address, download: file.name, "aria-label": `Download ${file.name}`, title: "Download" },
        icon("download"),
      ),
    ),
  );
  if (PICTURE.test(file.mimetype))
    node.append(h("img", { class: "file-picture", src: address, alt: file.title || file.name, loading: "lazy" }));
  else if ((TEXT.test(file.mimetype) || TEXT_NAME.test(file.name)) && file.size <= PREVIEW_BYTES_MAX)
    preview(node, file, address);
  return node;
}

async function preview(node, file, address) {
  if (!texts.has(file.id))
    texts.set(
      file.id,
      fetch(address)
        .then((reply) => (reply.ok ? reply.text() : null))
        .catch(() => null),
    );
  const text = await texts.get(file.id);
  if (!text) return;
  const rows = text.trimEnd().split("\n");
  const area = h("div", { class: "file-preview" });
  const show = (all) => area.replaceChildren(...lookOf(file, (all ? rows : rows.slice(0, LINES)).join("\n")));
  show(false);
  node.append(area);
  if (rows.length <= LINES) return;
  let open = false;
  const more = h("button", { type: "button", class: "quiet file-more" }, `Show all ${rows.length} lines`);
  more.onclick = () => {
    open = !open;
    show(open);
    more.textContent = open ? "Show less" : `Show all ${rows.length} lines`;
  };
  node.append(more);
}

function lookOf(file, text) {
  if (/\.csv$/i.test(file.name)) return [csvTable(text)];
  if (/\.md$/i.test(file.name)) return [h("div", { class: "b-markdown" }, markdown(text))];
  return [h("pre", {}, text)];
}

function csvTable(text) {
  const [head = [], ...rows] = csvRows(text);
  const body = h(
    "tbody",
    {},
    rows.map((row) =>
      h(
        "tr",
        {},
        row.map((cell) => h("td", {}, cell)),
      ),
    ),
  );
  return h(
    "div",
    { class: "table-scroll" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          head.map((cell) => h("th", { scope: "col" }, cell)),
        ),
      ),
      body,
    ),
  );
}

function csvRows(text) {
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    const row = rows.at(-1);
    if (quoted && letter === '"' && text[at + 1] === '"') row[row.length - 1] += text[(at += 1)];
    else if (letter === '"') quoted = !quoted;
    else if (letter === "," && !quoted) row.push("");
    else if (letter === "\n" && !quoted) rows.push([""]);
    else if (letter !== "\r") row[row.length - 1] += letter;
  }
  return rows;
}
