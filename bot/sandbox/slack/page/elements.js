// The controls of Block Kit: buttons, menus and inputs. A `place` says what choosing means:
//   place.act(block, element, choice, node)  tell the app
//   place.put(block, element, state)         remember for the form (a message's place forgets)
//   place.value(block, element)              what was remembered, or undefined
// In an input block nothing is told to the app before the form is sent, unless the block asks for it.

import { ask, menu } from "./dialogs.js";
import { h, icon, isLoopback, safeUrl } from "./dom.js";
import { plainText, textObject } from "./mrkdwn.js";
import { isDirect, nameOf, store } from "./store.js";

const CHOSEN = {
  static_select: "selected_option",
  radio_buttons: "selected_option",
  users_select: "selected_user",
  channels_select: "selected_channel",
  conversations_select: "selected_conversation",
  datepicker: "selected_date",
  timepicker: "selected_time",
  datetimepicker: "selected_date_time",
  checkboxes: "selected_options",
  multi_static_select: "selected_options",
  multi_users_select: "selected_users",
  multi_channels_select: "selected_channels",
  multi_conversations_select: "selected_conversations",
};
const INITIAL = {
  selected_option: "initial_option",
  selected_options: "initial_options",
  selected_user: "initial_user",
  selected_users: "initial_users",
  selected_channel: "initial_channel",
  selected_channels: "initial_channels",
  selected_conversation: "initial_conversation",
  selected_conversations: "initial_conversations",
  selected_date: "initial_date",
  selected_time: "initial_time",
  selected_date_time: "initial_date_time",
  value: "initial_value",
};
const TEXT_TYPES = { number_input: "number", url_text_input: "url", email_text_input: "email", plain_text_input: "text" };

/** The name under which the state of an element carries its choice. */
export function keyOf(element) {
  return CHOSEN[element.type] ?? "value";
}

export function element(element, block, place, id) {
  switch (element.type) {
    case "button":
      return button(element, block, place);
    case "overflow":
      return overflow(element, block, place);
    case "image":
      return picture(element, "thumb");
    case "radio_buttons":
    case "checkboxes":
      return boxes(element, block, place, element.options, id);
    case "datepicker":
    case "timepicker":
    case "datetimepicker":
      return picker(element, block, place, id);
    default:
      if (element.type in TEXT_TYPES) return textInput(element, block, place, id);
      if (element.type.startsWith("multi_")) return boxes(element, block, place, choicesOf(element), id);
      if (element.type.endsWith("_select")) return select(element, block, place, id);
      return h("span", { class: "unknown" }, `[${element.type}]`);
  }
}

/** An image of this machine, or a labelled frame in place of one that would have to be fetched from outside. */
export function picture(image, kind) {
  if (isLoopback(image.image_url ?? ""))
    return h("img", { class: kind, src: image.image_url, alt: image.alt_text, loading: "lazy" });
  return h(
    "span",
    { class: `no-image ${kind}`, role: "img", "aria-label": image.alt_text, title: "Images from outside are not loaded here" },
    icon("image"),
    h("span", {}, image.alt_text),
  );
}

function current(element, block, place) {
  const key = keyOf(element);
  const kept = place.value(block, element);
  const value = kept ? kept[key] : (element[INITIAL[key]] ?? (key.endsWith("s") ? [] : null));
  place.put(block, element, { type: element.type, [key]: value });
  return value;
}

/** Remember a choice and tell the app, after asking when the element wants that; false when the person thought better of it. */
async function choose(element, block, place, choice, node) {
  if (element.confirm && !(await ask(element.confirm))) return false;
  place.put(block, element, { type: element.type, [keyOf(element)]: choice });
  if (block.type !== "input" || block.dispatch_action) place.act(block, element, choice, node);
  return true;
}

function hooks(element) {
  return { actionId: element.action_id };
}

function button(element, block, place) {
  const link = element.url ? safeUrl(element.url) : null;
  const press = async () => {
    if (element.confirm && !(await ask(element.confirm))) return;
    if (link) window.open(link, "_blank", "noopener,noreferrer");
    place.act(block, element, null, node);
  };
  const node = h(
    "button",
    {
      type: "button",
      class: `button ${element.style ?? ""}`,
      data: hooks(element),
      "aria-label": element.accessibility_label,
      onclick: press,
    },
    plainText(element.text),
    link ? h("span", { class: "out", "aria-hidden": "true" }, "↗") : null,
  );
  return node;
}

function overflow(element, block, place) {
  const node = h(
    "button",
    {
      type: "button",
      class: "button dots",
      data: hooks(element),
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": "More actions",
      title: "More actions",
    },
    "⋯",
  );
  node.addEventListener("click", async () => {
    const picked = await menu(
      node,
      element.options.map((option) => [plainText(option.text), textObject(option.description)]),
    );
    if (picked === null) return;
    const option = element.options[picked];
    if (element.confirm && !(await ask(element.confirm))) return;
    if (option.url && safeUrl(option.url)) window.open(safeUrl(option.url), "_blank", "noopener,noreferrer");
    place.act(block, element, option, node);
  });
  return node;
}

/** What can be chosen: [label nodes' text, choice, group] in the order of the menu. */
function choicesOf(element) {
  if (element.options) return element.options;
  if (element.option_groups) return element.option_groups.flatMap((group) => group.options);
  if (element.type.includes("users"))
    return store.data.users.filter((user) => !user.is_bot).map((user) => choice(nameOf(user), user.id));
  return store.data.channels
    .filter((channel) => !isDirect(channel) && !channel.is_archived)
    .map((channel) => choice(`#${channel.name}`, channel.id));
}

function choice(text, id) {
  return { text: { type: "plain_text", text, emoji: false }, value: id, bare: true };
}

/** Options are sent whole; people and channels by their id. */
function sent(option) {
  return option.bare ? option.value : option;
}

function words(object) {
  return plainText(object)
    .map((part) => (typeof part === "string" ? part : part.dataset.symbol))
    .join("");
}

function select(element, block, place, id) {
  const options = choicesOf(element);
  const chosen = current(element, block, place);
  const at = options.findIndex((option) => option.value === (chosen?.value ?? chosen));
  const entry = (option) =>
    h(
      "option",
      { value: String(options.indexOf(option)), selected: options.indexOf(option) === at },
      words(option.text) + (option.description ? ` – ${words(option.description)}` : ""),
    );
  const placeholder = h("option", { value: "", selected: at === -1 }, words(element.placeholder) || "Choose…");
  const entries = element.option_groups
    ? element.option_groups.map((group) => h("optgroup", { label: words(group.label) }, group.options.map(entry)))
    : options.map(entry);
  const node = h(
    "select",
    { id, class: "select", data: hooks(element), "aria-label": id ? null : words(element.placeholder) || "Choose" },
    placeholder,
    entries,
  );
  let before = node.value;
  node.addEventListener("change", async () => {
    const option = options[Number(node.value)];
    if (node.value === "") place.put(block, element, { type: element.type, [keyOf(element)]: null });
    else if (!(await choose(element, block, place, sent(option), node))) node.value = before;
    before = node.value;
  });
  return node;
}

function boxes(element, block, place, options, id) {
  const single = element.type === "radio_buttons";
  const now = [current(element, block, place)].flat().map((one) => one?.value ?? one);
  const name = `${id ?? "box"}-${block.block_id}-${element.action_id}`;
  const inputs = options.map((option) =>
    h("input", { type: single ? "radio" : "checkbox", name, value: option.value, checked: now.includes(option.value) }),
  );
  const chosen = () => options.filter((_, n) => inputs[n].checked).map(sent);
  const group = h("div", {
    class: `boxes ${options.length > 8 ? "long" : ""}`,
    role: single ? "radiogroup" : "group",
    id,
    data: hooks(element),
    "aria-labelledby": id ? `${id}-label` : null,
    "aria-label": id ? null : "Options",
  });
  let before = inputs.map((input) => input.checked);
  group.append(
    ...options.map((option, n) =>
      h(
        "label",
        { class: "box" },
        inputs[n],
        h("span", {}, textObject(option.text), option.description ? h("small", {}, textObject(option.description)) : null),
      ),
    ),
  );
  group.addEventListener("change", async () => {
    const value = single ? (chosen()[0] ?? null) : chosen();
    if (!(await choose(element, block, place, value, group))) inputs.forEach((input, n) => (input.checked = before[n]));
    before = inputs.map((input) => input.checked);
  });
  return group;
}

function picker(element, block, place, id) {
  const type = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" }[element.type];
  const node = h("input", {
    type,
    id,
    class: "field",
    data: hooks(element),
    "aria-label": id ? null : words(element.placeholder) || type,
  });
  const value = current(element, block, place);
  if (type === "datetime-local" && value)
    node.value = new Date(value * 1000 - new Date(value * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  else node.value = value ?? "";
  node.addEventListener("change", () => {
    const picked =
      type === "datetime-local" && node.value ? Math.floor(new Date(node.value).getTime() / 1000) : node.value || null;
    choose(element, block, place, picked, node);
  });
  return node;
}

function textInput(element, block, place, id) {
  const attributes = {
    id,
    class: "field",
    data: hooks(element),
    maxlength: element.max_length,
    placeholder: element.placeholder ? words(element.placeholder) : null,
    "aria-label": id ? null : "Text",
  };
  const node = element.multiline
    ? h("textarea", { ...attributes, rows: "4" })
    : h("input", {
        ...attributes,
        type: TEXT_TYPES[element.type],
        step: element.is_decimal_allowed ? "any" : null,
        min: element.min_value,
        max: element.max_value,
        autocomplete: "off",
      });
  node.value = current(element, block, place) ?? "";
  if (element.focus_on_load) node.dataset.focus = "yes";
  node.addEventListener("input", () => place.put(block, element, { type: element.type, value: node.value || null }));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || element.multiline || !block.dispatch_action) return;
    event.preventDefault();
    choose(element, block, place, node.value, node);
  });
  return node;
}
