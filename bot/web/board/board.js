// Puts the page's newest content in place of the old one, so that nobody loses their place as with a reload.
// Without it the page reloads itself each minute.
"use strict";

const EVERY_MS = 30000;
const PARTS = ["header", "main"];

async function update() {
  if (document.hidden) return;
  const fresh = document.getElementById("fresh");
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(20000) });
    if (!answer.ok) throw new Error(String(answer.status));
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    if (fresh) {
      fresh.textContent = "It cannot be updated right now. What stands here is old.";
      fresh.classList.add("stale");
      fresh.setAttribute("role", "alert");
    }
  }
}

function show(page) {
  const place = whatIsOn(document.activeElement); // whoever is on a link stays on it
  for (const one of document.querySelectorAll("details[open]")) { // what somebody opened stays open
    matching(page, one)?.setAttribute("open", "");
  }
  for (const part of PARTS) {
    const held = document.querySelector(part), next = page.querySelector(part);
    if (!held.isEqualNode(next)) held.replaceWith(next); // what is selected or read out just now stays
  }
  if (document.activeElement === document.body) place()?.focus({ preventScroll: true });
  if (document.title === page.title) return;
  document.title = page.title;
  document.getElementById("news").textContent = page.title; // a screen reader says it
}

function whatIsOn(element) {
  const fold = element?.closest("summary")?.parentElement, link = element?.closest("a")?.getAttribute("href");
  if (fold) return () => matching(document, fold)?.firstElementChild;
  return () => [...document.links].find((one) => one.getAttribute("href") === link);
}

function matching(page, fold) {
  return [...page.querySelectorAll("details")].find((one) => one.dataset.key === fold.dataset.key);
}

setInterval(update, EVERY_MS);
document.addEventListener("visibilitychange", update);
