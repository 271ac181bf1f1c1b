// Block Kit as nodes; the controls inside are in elements.js, rich text in richtext.js.

import { h } from "./dom.js";
import { element, picture } from "./elements.js";
import { markdown } from "./markdown.js";
import { plainText, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

/** All blocks of a message or a view. `errors` maps a block_id to the text under its field. */
export function blocks(list, place, errors = {}) {
  return list.map((block) => {
    const node = oneBlock(block, place, errors[block.block_id]);
    node.classList.add("block");
    node.dataset.blockId = block.block_id;
    return node;
  });
}

function oneBlock(block, place, error) {
  switch (block.type) {
    case "header":
      return h("div", { class: "b-header", role: "heading", "aria-level": "3" }, plainText(block.text));
    case "section":
      return section(block, place);
    case "context":
      return h(
        "div",
        { class: "b-context" },
        block.elements.map((one) => (one.type === "image" ? picture(one, "tiny") : h("span", {}, textObject(one)))),
      );
    case "divider":
      return h("hr", { class: "b-divider" });
    case "actions":
      return h(
        "div",
        { class: "b-actions" },
        block.elements.map((one) => element(one, block, place)),
      );
    case "image":
      return h(
        "figure",
        { class: "b-image" },
        block.title ? h("figcaption", {}, plainText(block.title)) : null,
        picture(block, "full"),
      );
    case "input":
      return input(block, place, error);
    case "markdown":
      return h("div", { class: "b-markdown" }, markdown(block.text));
    case "rich_text":
      return h("div", { class: "b-rich" }, richText(block));
    case "table":
      return table(block);
    default:
      return h("div", { class: "unknown" }, `[${block.type}]`);
  }
}

function section(block, place) {
  const body = h("div", { class: "b-body" }, block.text ? h("div", { class: "b-text" }, textObject(block.text)) : null);
  if (block.fields)
    body.append(
      h(
        "div",
        { class: "b-fields" },
        block.fields.map((field) => h("div", {}, textObject(field))),
      ),
    );
  return h(
    "div",
    { class: "b-section" },
    body,
    block.accessory ? h("div", { class: "b-accessory" }, element(block.accessory, block, place)) : null,
  );
}

function input(block, place, error) {
  const id = `field-${block.block_id}`;
  const control = element(block.element, block, place, id);
  const grouped = control.matches("[role=group], [role=radiogroup]");
  const label = h(
    grouped ? "span" : "label",
    { class: "label", id: `${id}-label`, for: grouped ? null : id },
    plainText(block.label),
    block.optional ? h("span", { class: "optional" }, " (optional)") : null,
  );
  const hint = block.hint ? h("div", { class: "hint", id: `${id}-hint` }, plainText(block.hint)) : null;
  const wrong = error ? h("div", { class: "field-error", id: `${id}-error`, role: "alert" }, error) : null;
  const described = [wrong && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  if (described) control.setAttribute("aria-describedby", described);
  if (error) control.setAttribute("aria-invalid", "true");
  if (!block.optional) control.setAttribute("aria-required", "true");
  return h("div", { class: `b-input ${error ? "wrong" : ""}` }, label, control, wrong, hint);
}

function table(block) {
  const settings = block.column_settings ?? [];
  const cell = (tag) => (one, n) =>
    h(
      tag,
      {
        class: `${settings[n]?.align ?? (one.type === "raw_number" ? "right" : "left")} ${settings[n]?.is_wrapped ? "wrap" : ""}`,
        scope: tag === "th" ? "col" : null,
      },
      one.type === "rich_text" ? richText(one) : String(one.text ?? one.value ?? ""),
    );
  const [head, ...rows] = block.rows;
  return h(
    "div",
    { class: "b-table table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map(cell("th")))),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", {}, row.map(cell("td")))),
      ),
    ),
  );
}
