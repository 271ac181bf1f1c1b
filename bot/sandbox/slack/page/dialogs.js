// What comes in front: the question before an action, and the small menu behind three dots.

import { byId, h } from "./dom.js";
import { plainText, textObject } from "./mrkdwn.js";

/** Show a confirmation object and resolve to whether the person went ahead. */
export function ask(confirm) {
  const dialog = byId("confirm");
  const yes = h(
    "button",
    { type: "button", class: `button solid ${confirm.style === "danger" ? "danger" : "primary"}`, data: { confirm: "yes" } },
    plainText(confirm.confirm),
  );
  const no = h("button", { type: "button", class: "button", data: { confirm: "no" } }, plainText(confirm.deny));
  dialog.replaceChildren(
    h("h2", { id: "confirm-title" }, plainText(confirm.title)),
    h("div", { class: "confirm-text" }, textObject(confirm.text)),
    h("div", { class: "dialog-foot" }, no, yes),
  );
  return new Promise((resolve) => {
    yes.onclick = () => dialog.close("yes");
    no.onclick = () => dialog.close("no");
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    no.focus();
  });
}

/** A menu below `anchor`; resolves to the index of the chosen entry, or null. Entries are [label nodes, description nodes]. */
export function menu(anchor, entries) {
  return new Promise((resolve) => {
    const items = entries.map(([label, description], n) =>
      h(
        "button",
        { type: "button", role: "menuitem", tabindex: "-1", onclick: () => done(n) },
        h("span", {}, label),
        description.length ? h("small", {}, description) : null,
      ),
    );
    const list = h("div", { class: "menu", role: "menu", "aria-label": anchor.getAttribute("aria-label") }, items);
    const outside = (event) => {
      if (!list.contains(event.target) && event.target !== anchor) done(null);
    };
    const done = (picked) => {
      document.removeEventListener("pointerdown", outside, true);
      list.remove();
      anchor.setAttribute("aria-expanded", "false");
      anchor.focus();
      resolve(picked);
    };
    list.addEventListener("keydown", (event) => {
      const at = items.indexOf(document.activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) items[(at + step + items.length) % items.length].focus();
      else if (event.key === "Escape" || event.key === "Tab") done(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    // A modal dialog makes everything outside it inert, so the menu must live where its button lives.
    (anchor.closest("dialog") ?? document.body).append(list);
    const spot = anchor.getBoundingClientRect();
    const below = spot.bottom + list.offsetHeight + 12 < window.innerHeight;
    list.style.left = `${Math.max(8, Math.min(spot.left, window.innerWidth - list.offsetWidth - 8))}px`;
    list.style.top = `${below ? spot.bottom + 4 : spot.top - list.offsetHeight - 4}px`;
    anchor.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    items[0]?.focus();
  });
}
