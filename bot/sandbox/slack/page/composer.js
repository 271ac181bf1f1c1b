// Where a person types: Enter sends, `/` offers commands, `@` people and `#` channels.

import { h, icon } from "./dom.js";
import { isDirect, nameOf, store } from "./store.js";

const BUILT_IN = [
  { command: "/invite", description: "Bring somebody into this channel", usage_hint: "@person" },
  { command: "/join", description: "Join a channel", usage_hint: "#channel" },
  { command: "/leave", description: "Leave this channel", usage_hint: "" },
  { command: "/topic", description: "Set the channel's topic", usage_hint: "text" },
  { command: "/archive", description: "Archive this channel", usage_hint: "" },
];
const OFFERS_MAX = 8;

/** Build a composer. `send(text)` resolves to an error in words, or to nothing. */
export function composer({ id, label, commands, send }) {
  const input = h("textarea", {
    id,
    rows: "1",
    role: "combobox",
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": `${id}-offers`,
    autocomplete: "off",
    spellcheck: "false",
  });
  const offers = h("ul", { id: `${id}-offers`, class: "offers", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const hint = h("div", { class: "usage", "aria-live": "polite" });
  const notice = h("div", { class: "notice", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)" }, icon("send"));
  const box = h(
    "form",
    { class: "composer", autocomplete: "off" },
    notice,
    offers,
    h("div", { class: "composer-box" }, input, button),
    hint,
  );
  const self = {
    box,
    input,
    say: (words) => showNotice(notice, words),
    reset: (text, placeholder) => reset(text, placeholder),
  };
  let found = []; // what is offered: {text, head, tail, insert}
  let at = 0;
  const sent = [];
  let back = 0;

  function reset(text, placeholder) {
    input.value = text;
    input.placeholder = placeholder;
    showNotice(notice, "");
    typed();
  }

  function typed() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 200)}px`;
    button.disabled = !input.value.trim();
    found = offersFor(input.value.slice(0, input.selectionStart), commands);
    at = 0;
    hint.replaceChildren(...usage(input.value, commands));
    showOffers();
  }

  function showOffers() {
    offers.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    offers.replaceChildren(
      ...found.map((offer, n) =>
        h(
          "li",
          {
            id: `${id}-offer-${n}`,
            role: "option",
            "aria-selected": String(n === at),
            onmousedown: (event) => event.preventDefault(),
            onclick: () => take(n),
          },
          h("strong", {}, offer.text),
          offer.hint ? h("code", {}, offer.hint) : null,
          h("span", {}, offer.says),
        ),
      ),
    );
    offers.children[at]?.scrollIntoView({ block: "nearest" });
    if (found.length) input.setAttribute("aria-activedescendant", `${id}-offer-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(n) {
    const caret = input.selectionStart;
    const before = input.value.slice(0, caret - found[n].typed.length) + found[n].text + " ";
    input.value = before + input.value.slice(caret).replace(/^ /, "");
    input.setSelectionRange(before.length, before.length);
    input.focus();
    typed();
  }

  async function submit() {
    const text = input.value.trim();
    if (!text) return;
    sent.push(text);
    back = 0;
    input.value = "";
    showNotice(notice, "");
    typed();
    const slow = setTimeout(() => hint.replaceChildren("Sending…"), 400);
    const trouble = await send(text);
    clearTimeout(slow);
    if (!trouble) {
      if (hint.textContent === "Sending…") typed();
      return;
    }
    if (!input.value) input.value = text;
    typed();
    showNotice(notice, trouble);
  }

  function key(event) {
    if (event.isComposing) return;
    const exact = found[at]?.typed === found[at]?.text;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (found.length && step) {
      at = (at + step + found.length) % found.length;
      showOffers();
    } else if (found.length && (event.key === "Tab" || (event.key === "Enter" && !exact && !event.shiftKey))) {
      take(at);
    } else if (found.length && event.key === "Escape") {
      found = [];
      showOffers();
    } else if (event.key === "Enter" && !event.shiftKey) {
      submit();
    } else if (event.key === "ArrowUp" && sent.length && (!input.value || back)) {
      back = Math.min(back + 1, sent.length);
      input.value = sent.at(-back);
      typed();
      found = [];
      showOffers();
    } else {
      if (event.key.length === 1) back = 0;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  input.addEventListener("input", typed);
  input.addEventListener("keydown", key);
  input.addEventListener("blur", () => {
    found = [];
    showOffers();
  });
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    input.focus();
  });
  return self;
}

function showNotice(notice, words) {
  notice.hidden = !words;
  const away = h(
    "button",
    { type: "button", class: "tool", "aria-label": "Dismiss", onclick: () => showNotice(notice, "") },
    icon("close"),
  );
  notice.replaceChildren(...(words ? [icon("warn"), h("span", {}, h("strong", {}, "Slackbot "), words), away] : []));
}

function known(commands) {
  return commands
    ? [...store.data.commands, ...BUILT_IN.filter((one) => !store.data.commands.some((other) => other.command === one.command))]
    : [];
}

function offersFor(before, commands) {
  const slash = /^\/\S*$/.exec(before);
  if (slash) {
    return known(commands)
      .filter((one) => one.command.startsWith(before.toLowerCase()))
      .slice(0, 12)
      .map((one) => ({ typed: before, text: one.command, hint: one.usage_hint, says: one.description }));
  }
  const word = /(?:^|\s)([@#])([\p{L}\p{N}._-]*)$/u.exec(before);
  if (!word) return [];
  const [mark, start] = [word[1], word[2].toLowerCase()];
  const fits = (name) => name.toLowerCase().startsWith(start);
  const list =
    mark === "@"
      ? store.data.users
          .filter((user) => user.id !== "USLACKBOT" && (fits(user.name) || fits(nameOf(user))))
          .map((user) => [`@${user.name}`, nameOf(user)])
      : store.data.channels
          .filter((channel) => !isDirect(channel) && !channel.is_archived && fits(channel.name))
          .map((channel) => [`#${channel.name}`, ""]);
  return list.slice(0, OFFERS_MAX).map(([text, says]) => ({ typed: mark + word[2], text, hint: "", says }));
}

/** While a command is being typed, how it is used. */
function usage(text, commands) {
  const command = /^(\/\S+)\s/.exec(text)?.[1];
  const spec = known(commands).find((one) => one.command === command);
  return spec ? [h("strong", {}, spec.command), ` ${spec.usage_hint}`, h("span", {}, spec.description)] : [];
}
