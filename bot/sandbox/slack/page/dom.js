// Building nodes. Foreign text only ever becomes a text node or an attribute here; there is no innerHTML in this page.

/** An element with attributes, listeners (`onclick`), `data` and children; null and false children are left out. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...present(children));
  return node;
}

export function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}

export function byId(id) {
  return document.getElementById(id);
}

/** The address when it is one a person may safely follow from here, otherwise null. */
export function safeUrl(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Whether an image may be loaded: the workspace works offline, so only from this machine. */
export function isLoopback(address) {
  try {
    const url = new URL(address, location.href);
    return /^https?:$/.test(url.protocol) && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  } catch {
    return false;
  }
}

const SHAPES = {
  hash: ["M9 3 7 21M17 3l-2 18M4 8.5h17M3 15.5h17"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  people: [
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0",
    "M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  ],
  pin: ["M9 3h6l-1 6 3.5 4h-11L10 9 9 3ZM12 13v8"],
  close: ["m5 5 14 14M19 5 5 19"],
  menu: ["M3 6h18M3 12h18M3 18h18"],
  reply: ["M4 5h16v11H10l-5 4v-4H4z"],
  send: ["M4 12 20 4l-5 16-4-7z", "m11 13 4-4"],
  file: ["M6 3h8l4 4v14H6z", "M14 3v4h4M9 12h6M9 16h6"],
  download: ["M12 4v11M7 11l5 5 5-5M4 20h16"],
  image: ["M4 5h16v14H4z", "m4 16 5-5 4 4 3-3 4 4"],
  archive: ["M3 5h18v4H3zM5 9v10h14V9M10 13h4"],
  eye: ["M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12Z", "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z"],
  bookmark: ["M7 4h10v16l-5-4-5 4z"],
  warn: ["M12 3 2 20h20z", "M12 10v4M12 17v.5"],
};

/** A decorative line drawing; what it means is said in words beside it or in the button's label. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  for (const line of SHAPES[name]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** Coloured initials of a person, a plain tile for the app and for Slackbot. */
export function avatar(user, size = "") {
  const name = user?.real_name || user?.name || "?";
  const initials = name
    .split(/[\s._-]+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join("");
  const node = h("span", { class: `avatar ${size} ${user?.is_bot ? "is-bot" : ""}`, "aria-hidden": "true" }, initials);
  if (user?.id === "USLACKBOT") node.classList.replace("is-bot", "is-slackbot");
  if (/^#?[0-9a-f]{6}$/i.test(user?.color ?? "")) node.style.setProperty("--hue", `#${user.color.replace("#", "")}`);
  return node;
}
