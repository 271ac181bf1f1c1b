/** What the bot said about all flags, and which answer of it a reader gets. Pure. */

import { createHash } from "node:crypto";

export const VERSION = 1; // of the rules that we ask for and understand
const BUCKETS = 10_000n;
const DRILL_KEY = "understudy_drill";
const TARGETING_KEY = "targetingKey";
const BEGAN = "conversation_started_at";
const LAST_S = 253_402_300_799; // the end of the year 9999; milliseconds that are taken for seconds lie far behind it
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

export type Primitive = string | number | boolean;

/** What was received is not a set of flags; the message says why. */
export class NotFlags extends Error {}

/** One answer about a flag. Of an object `text` holds the JSON: each reader gets a copy, which it may change as it likes. */
export interface Answer {
  readonly value: unknown;
  readonly text: string | undefined;
  readonly variant: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, Primitive>>;
}

/**
 * A hand-back under way: readers whose bucket under `seed` is lower than `below` went back to the default already.
 *
 * They are told apart by the attribute `by`, or where they have none by their targeting key. `later` holds steps that only
 * conversations took which began at or after `since`, in milliseconds since 1970.
 */
export interface Split {
  readonly seed: string;
  readonly below: number;
  readonly by: string;
  readonly later: readonly { readonly since: number; readonly below: number }[];
}

/** A part of the readers that is switched apart: whose `attribute` equals a text, less whom its split takes. */
export interface Part {
  readonly attribute: string;
  readonly equals: string;
  readonly split: Split | undefined;
  readonly answer: Answer;
}

/**
 * One flag: what everybody gets, but for those whom a part, a hand-back or a drill sends elsewhere.
 *
 * `back` is what those get whom the split takes. Of the parts the first that holds counts.
 */
export interface Flag {
  readonly plain: Answer;
  readonly split: Split | undefined;
  readonly back: Answer | undefined;
  readonly drill: Answer | undefined;
  readonly parts: readonly Part[];
}

/** All flags as received; `text` is the JSON they were read from, `streams` the addresses of events that were announced. */
export interface Flags {
  readonly byKey: ReadonlyMap<string, Flag>;
  readonly streams: readonly string[];
  readonly text: string;
}

/** What this reader gets: the same as from the bot itself. */
export function answerFor(flag: Flag, context: Readonly<Record<string, unknown>>): Answer {
  const part = flag.parts.find((one) => isOf(one, context));
  if (part !== undefined) return part.answer;
  if (flag.drill !== undefined && context[DRILL_KEY] === true) return flag.drill;
  return flag.split !== undefined && flag.back !== undefined && wentBack(flag.split, context) ? flag.back : flag.plain;
}

/** Whether this reader gets the answer of a part. */
function isOf(part: Part, context: Readonly<Record<string, unknown>>): boolean {
  if (asText(context[part.attribute]) !== part.equals) return false;
  return part.split === undefined || !wentBack(part.split, context);
}

/** Whether this reader went back. One that cannot be told apart stays until all do. */
function wentBack(split: Split, context: Readonly<Record<string, unknown>>): boolean {
  const key = context[TARGETING_KEY];
  const own = split.by === TARGETING_KEY ? "" : named(context[split.by]);
  const reader = own || (typeof key === "string" ? key : "");
  if (reader === "") return false;
  const began = split.later.length > 0 ? beganMs(context) : undefined;
  const taken = began === undefined ? [] : split.later.filter((step) => step.since <= began);
  return bucket(split.seed, reader) < Math.max(...(taken.length > 0 ? taken.map((step) => step.below) : [split.below]));
}

/**
 * When the conversation began, in milliseconds since 1970; undefined where it does not say, or says nonsense.
 *
 * `conversation_started_at` is a time as in RFC 3339, seconds since 1970, or a Date.
 */
export function beganMs(context: Readonly<Record<string, unknown>>): number | undefined {
  const said = context[BEGAN];
  let found: number | undefined;
  if (typeof said === "string") found = readTime(said);
  else if (said instanceof Date) found = said.getTime();
  else if (typeof said === "number" && said >= 0 && said <= LAST_S) found = Math.floor(said * 1000);
  return found !== undefined && found >= 0 && found <= LAST_S * 1000 ? found : undefined;
}

function readTime(text: string): number | undefined {
  const parts = RFC_3339.exec(text);
  if (parts === null) return undefined;
  const number = (place: number): number => Number(parts[place] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(number) as [number, number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 59 || number(9) > 23 || number(10) > 59) return undefined;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  const read = new Date(local); // what is no day of the calendar is another one, or in another century, here
  if (read.getUTCFullYear() !== year || read.getUTCMonth() !== month - 1 || read.getUTCDate() !== day) return undefined;
  const ahead = (number(9) * 60 + number(10)) * 60_000 * (parts[8] === "-" ? -1 : 1);
  return local + Number((parts[7] ?? "").slice(0, 3).padEnd(3, "0")) - ahead;
}

/** What an attribute tells readers apart by: a text, or a whole number. */
function named(value: unknown): string {
  if (typeof value === "string") return value;
  return Number.isSafeInteger(value) ? String(value) : "";
}

/** What an attribute is compared as: a text, a whole number or a truth as JSON writes it; empty for all else. */
function asText(value: unknown): string {
  return typeof value === "boolean" ? String(value) : named(value);
}

/** Where a reader stands in 0..9999: the first 8 bytes of SHA-256 over `seed:targetingKey`, scaled down. */
export function bucket(seed: string, targetingKey: string): number {
  const hashed = createHash("sha256").update(utf8(`${seed}:${targetingKey}`)).digest();
  return Number((hashed.readBigUInt64BE(0) * BUCKETS) >> 64n);
}

/**
 * Reads the bot's answer, whole or not at all; throws NotFlags.
 *
 * A flag that the server could not evaluate keeps its answer from `before`.
 */
export function parse(text: string, before?: ReadonlyMap<string, Flag>): Flags {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new NotFlags("it is not JSON");
  }
  if (!isObject(data) || !Array.isArray(data["flags"])) throw new NotFlags("it has no list of flags");
  const version = data["rules"] ?? VERSION; // any server of OFREP may answer, which says no version and parts no readers
  if (version !== VERSION) {
    throw new NotFlags(`its rules are of version ${String(version).slice(0, 20)}, this client knows ${VERSION}: update the client`);
  }
  const byKey = new Map<string, Flag>();
  for (const [place, item] of (data["flags"] as unknown[]).entries()) {
    const where = `flags[${place}]`;
    if (!isObject(item) || typeof item["key"] !== "string") throw new NotFlags(`${where} has no key`);
    const key = item["key"];
    if ("errorCode" in item) {
      const kept = before?.get(key);
      if (kept !== undefined) byKey.set(key, kept);
    } else {
      byKey.set(key, readFlag(item, where));
    }
  }
  return { byKey, streams: readStreams(data["eventStreams"]), text };
}

function readFlag(item: Record<string, unknown>, where: string): Flag {
  const plain = readAnswer(item, typeof item["reason"] === "string" ? item["reason"] : "UNKNOWN", where);
  const split = item["split"] ?? undefined;
  const drill = item["drill"] ?? undefined;
  const parts = item["scopes"] ?? [];
  if (!Array.isArray(parts)) throw new NotFlags(`${where}.scopes is no list`);
  const back = split === undefined ? undefined : { metadata: plain.metadata, ...object(split, `${where}.split`) };
  return {
    plain,
    split: split === undefined ? undefined : readSplit(split, `${where}.split`),
    back: back === undefined ? undefined : readAnswer(back, "SPLIT", `${where}.split`),
    parts: (parts as unknown[]).map((part, place) => readPart(part, `${where}.scopes[${place}]`)),
    drill: drill === undefined ? undefined : readAnswer(object(drill, `${where}.drill`), "TARGETING_MATCH", `${where}.drill`),
  };
}

function readPart(item: unknown, where: string): Part {
  const found = object(item, where);
  const { attribute, equals } = found;
  const split = found["split"] ?? undefined;
  if (typeof attribute !== "string" || typeof equals !== "string" || equals === "") {
    throw new NotFlags(`${where} says not whose it is`);
  }
  const answer = readAnswer(found, split === undefined ? "TARGETING_MATCH" : "SPLIT", where);
  return { attribute, equals, split: split === undefined ? undefined : readSplit(split, `${where}.split`), answer };
}

function readSplit(item: unknown, where: string): Split {
  const { seed, below, by = TARGETING_KEY, later = [] } = object(item, where);
  if (typeof seed !== "string" || !Number.isInteger(below) || typeof by !== "string") {
    throw new NotFlags(`${where} has no seed or no share`);
  }
  return { seed, below: below as number, by, later: readLater(later, `${where}.later`) };
}

function readLater(found: unknown, where: string): Split["later"] {
  if (!Array.isArray(found)) throw new NotFlags(`${where} is no list of steps`);
  return (found as unknown[]).map((one) => {
    const { since, below } = object(one, where);
    if (!Number.isInteger(since) || !Number.isInteger(below)) throw new NotFlags(`${where} is no list of steps`);
    return { since: since as number, below: below as number };
  });
}

function readAnswer(item: Record<string, unknown>, reason: string, where: string): Answer {
  const value = item["value"] ?? undefined;
  if (value === undefined) throw new NotFlags(`${where} has no value`);
  const variant = item["variant"] ?? "";
  if (typeof variant !== "string") throw new NotFlags(`${where} has a variant that is no text`);
  const told = Object.entries(object(item["metadata"] ?? {}, `${where}.metadata`)).filter(([, one]) => isPrimitive(one));
  const metadata = Object.fromEntries(told) as Record<string, Primitive>;
  return { value, text: typeof value === "object" ? JSON.stringify(value) : undefined, variant, reason, metadata };
}

/** Those of a kind we know; what else may be announced one day is left alone. */
function readStreams(found: unknown): string[] {
  const streams: string[] = [];
  for (const item of Array.isArray(found) ? (found as unknown[]) : []) {
    if (!isObject(item) || item["type"] !== "sse") continue;
    const endpoint = item["endpoint"];
    if (isObject(endpoint) && typeof endpoint["requestUri"] === "string") {
      streams.push((typeof endpoint["origin"] === "string" ? endpoint["origin"] : "") + endpoint["requestUri"]);
    } else if (typeof item["url"] === "string") {
      streams.push(item["url"]);
    }
  }
  return streams;
}

/** UTF-8 in which half a surrogate pair stands for itself: it must hash as it does in the bot, which gets it by JSON. */
function utf8(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const pieces = Array.from(text, (one) => {
    const point = one.codePointAt(0) as number;
    if (point < 0xd800 || point > 0xdfff) return Buffer.from(one);
    return Buffer.from([0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)]);
  });
  return Buffer.concat(pieces);
}

function object(item: unknown, where: string): Record<string, unknown> {
  if (!isObject(item)) throw new NotFlags(`${where} is no object`);
  return item;
}

function isObject(item: unknown): item is Record<string, unknown> {
  return typeof item === "object" && item !== null && !Array.isArray(item);
}

function isPrimitive(item: unknown): item is Primitive {
  return typeof item === "string" || typeof item === "number" || typeof item === "boolean";
}
