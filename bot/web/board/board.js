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
      fresh.textContent = "It cannot be updated right now: Understudy does not answer. What stands here is old.";
      fresh.classList.add("stale");
      fresh.setAttribute("role", "alert");
    }
  }
}

function show(page) {
  const link = document.activeElement?.closest("a")?.getAttribute("href"); // whoever is on a link stays on it
  document.title = page.title;
  for (const part of PARTS) document.querySelector(part).replaceWith(page.querySelector(part));
  if (link) [...document.links].find((one) => one.getAttribute("href") === link)?.focus({ preventScroll: true });
}

setInterval(update, EVERY_MS);
document.addEventListener("visibilitychange", update);
