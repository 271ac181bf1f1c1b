// Moments in the reader's own zone, and Slack's date tokens.

const hour12 = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12;
const DAY_MS = 86_400_000;

function format(options) {
  const formatter = new Intl.DateTimeFormat("en", { hour12, ...options });
  return (moment) => formatter.format(moment);
}

export const clockTime = format({ hour: hour12 ? "numeric" : "2-digit", minute: "2-digit" });
const clockSeconds = format({ hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", second: "2-digit" });
const dateShort = format({ month: "short", day: "numeric", year: "numeric" });
const dateLong = format({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
const datePlain = format({ month: "long", day: "numeric", year: "numeric" });
const weekday = format({ weekday: "long", month: "long", day: "numeric" });
export const fullTime = format({ dateStyle: "full", timeStyle: "long" });

let ahead = 0; // milliseconds: the workspace's clock may tell a story of another day

/** Take the workspace's time, in unix seconds, for now. */
export function setNow(seconds) {
  ahead = seconds * 1000 - Date.now();
}

function today() {
  return new Date(Date.now() + ahead);
}

export function momentOf(ts) {
  return new Date(Number(ts) * 1000);
}

/** A key that is the same for all messages of one local day. */
export function dayKey(moment) {
  return `${moment.getFullYear()}-${moment.getMonth() + 1}-${moment.getDate()}`;
}

export function dayName(moment) {
  const near = nearDay(moment);
  if (near) return near[0].toUpperCase() + near.slice(1);
  return moment.getFullYear() === today().getFullYear() ? weekday(moment) : dateLong(moment);
}

function nearDay(moment) {
  const start = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[Math.round((start(moment) - start(today())) / DAY_MS)] ?? null;
}

function ago(moment) {
  const minutes = Math.round((today() - moment) / 60_000);
  const size = Math.abs(minutes);
  const [count, unit] =
    size < 60 ? [minutes, "minute"] : size < 1440 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-count, unit);
}

const TOKENS = {
  date_num: (m) => `${m.getFullYear()}-${String(m.getMonth() + 1).padStart(2, "0")}-${String(m.getDate()).padStart(2, "0")}`,
  date: datePlain,
  date_short: dateShort,
  date_long: dateLong,
  date_pretty: (m) => nearDay(m) ?? datePlain(m),
  date_short_pretty: (m) => nearDay(m) ?? dateShort(m),
  date_long_pretty: (m) => nearDay(m) ?? dateLong(m),
  date_long_full: dateLong,
  day_divider_pretty: (m) => nearDay(m) ?? weekday(m),
  time: clockTime,
  time_secs: clockSeconds,
  ago,
};

/** What `<!date^seconds^pattern>` says here and now; null when the moment or a token is not understood. */
export function dateToken(seconds, pattern) {
  const moment = new Date(Number(seconds) * 1000);
  if (!/^-?\d+$/.test(seconds) || Number.isNaN(moment.getTime())) return null;
  let known = true;
  const words = pattern.replace(/\{(\w+)\}/g, (whole, token) => {
    if (Object.hasOwn(TOKENS, token)) return TOKENS[token](moment);
    known = false;
    return whole;
  });
  return known ? { words, moment } : null;
}

export function sizeWords(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
