// The modal in front: built anew only when the app gave it new contents, and what was typed stays where its ids stay.

import { blocks } from "./blocks.js";
import { byId, h, icon } from "./dom.js";
import { plainText } from "./mrkdwn.js";
import { post } from "./net.js";
import { store } from "./store.js";

const forms = new Map(); // view id -> {values, errors, trouble}
let shown = ""; // the view and its hash that the nodes belong to

/** Show the top of this person's stack, or nothing. `does` has actOnView and refresh. */
export function showModal(does) {
  const dialog = byId("modal");
  const view = store.data.modals.at(-1);
  if (!view) {
    if (dialog.open) dialog.close();
    if (shown) dialog.replaceChildren();
    shown = "";
    forms.clear();
    return;
  }
  if (shown === `${view.id} ${view.hash}`) return;
  build(dialog, view, does);
  if (!dialog.open) dialog.showModal();
  const first =
    dialog.querySelector("[data-focus]") ??
    dialog.querySelector(".modal-body :is(input, textarea, select)") ??
    dialog.querySelector(".dialog-foot .primary");
  if (!dialog.contains(document.activeElement) || document.activeElement === dialog || document.activeElement.dataset.close)
    first?.focus();
}

/** Esc in the dialog closes the view through the app, not only on the screen. */
export function wireModal(does) {
  byId("modal").addEventListener("cancel", (event) => {
    event.preventDefault();
    const view = store.data.modals.at(-1);
    if (view) close(view, does);
  });
}

function build(dialog, view, does) {
  const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.actionId : null;
  shown = `${view.id} ${view.hash}`;
  const form = forms.get(view.id) ?? { values: {}, errors: {}, trouble: "" };
  forms.set(view.id, form);
  const place = {
    put: (block, element, state) => ((form.values[block.block_id] ??= {})[element.action_id] = state),
    value: (block, element) => valueOf(form, view, block, element),
    act: (block, element, choice, node) =>
      does.actOnView(view, block, element, choice, node, (words) => (form.trouble = words) && build(dialog, view, does)),
  };
  const inputs = view.blocks.some((block) => block.type === "input");
  const submit =
    view.submit || inputs
      ? h(
          "button",
          { type: "submit", class: "button solid primary", data: { submit: "yes" } },
          view.submit ? plainText(view.submit) : "Submit",
        )
      : null;
  const closing = () => close(view, does);
  const body = h(
    "div",
    { class: "modal-body" },
    form.trouble ? h("div", { class: "trouble", role: "alert" }, icon("warn"), form.trouble) : null,
    blocks(view.blocks, place, form.errors),
  );
  const sending = async (event) => {
    event.preventDefault();
    if (submit?.getAttribute("aria-busy")) return;
    submit?.setAttribute("aria-busy", "true");
    await send(dialog, view, form, does);
  };
  dialog.replaceChildren(
    h(
      "form",
      { method: "dialog", novalidate: true, onsubmit: sending },
      h(
        "div",
        { class: "modal-head" },
        h("h2", { id: "modal-title" }, plainText(view.title)),
        h(
          "button",
          { type: "button", class: "tool", "aria-label": "Close", data: { close: "x" }, onclick: closing },
          icon("close"),
        ),
      ),
      body,
      h(
        "div",
        { class: "dialog-foot" },
        h(
          "button",
          { type: "button", class: "button", data: { close: "button" }, onclick: closing },
          view.close ? plainText(view.close) : "Cancel",
        ),
        submit,
      ),
    ),
  );
  if (focused) [...dialog.querySelectorAll("[data-action-id]")].find((one) => one.dataset.actionId === focused)?.focus();
}

function valueOf(form, view, block, element) {
  const typed = form.values[block.block_id]?.[element.action_id] ?? view.state?.values?.[block.block_id]?.[element.action_id];
  return typed?.type === element.type ? typed : undefined;
}

async function send(dialog, view, form, does) {
  const answer = await post("submit", { user: store.data.me.id, view_id: view.id, values: form.values });
  form.errors = answer.errors ?? {};
  form.trouble = answer.ok || answer.errors ? "" : (answer.error ?? "The form could not be sent.");
  await does.refresh();
  const top = store.data.modals.at(-1);
  if (top?.id !== view.id) return;
  build(dialog, top, does);
  dialog.querySelector("[aria-invalid]")?.focus();
}

async function close(view, does) {
  const answer = await post("close", { user: store.data.me.id, view_id: view.id });
  if (!answer.ok) does.say(answer.error);
  await does.refresh();
}
