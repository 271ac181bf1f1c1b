/** Asking the bot for all flags over HTTP, within limits of time and size. */

import * as http from "node:http";
import * as https from "node:https";

import { VERSION } from "./flags.js";

const PATH = `/ofrep/v1/evaluate/flags?rules=${VERSION}`;
const WITHIN_MS = 3_000; // a whole answer; nobody waits for it
const MOST_BYTES = 8 * 1024 * 1024;
const LONGEST_PAUSE_MS = 30_000;
const IDLE_STREAM_MS = 45_000; // three of the pings that keep a stream alive
const USER_AGENT = "understudy-client/0.1.0 node";

/** The bot gave no flags; the message says why. `pauseMs` is how long it asked us to wait, if it did. */
export class BotError extends Error {
  constructor(
    message: string,
    readonly pauseMs = 0,
  ) {
    super(message);
  }
}

/** An answer of the bot, not yet understood. */
export interface Received {
  readonly text: string;
  readonly etag: string;
}

/** The bot at one address. */
export class Bot {
  readonly url: string;
  private readonly headers: Record<string, string>;
  private asking: AbortController | undefined;

  constructor(
    url: string,
    token: string | undefined,
    private readonly name: string,
  ) {
    const parts = URL.canParse(url) ? new URL(url) : undefined;
    if (parts === undefined || !["http:", "https:"].includes(parts.protocol)) {
      throw new TypeError("the bot's address must begin with http:// or https://");
    }
    if (parts.username || parts.password || parts.search || parts.hash) {
      throw new TypeError("the bot's address must hold no user, query or fragment; give the token as `token`");
    }
    this.url = url.replace(/\/+$/, "");
    this.headers = { "User-Agent": USER_AGENT, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  }

  /** All flags; undefined when they are still those of `etag`. Throws BotError. */
  async ask(etag: string, readInDrill: Readonly<Record<string, string[]>>): Promise<Received | undefined> {
    const asking = (this.asking = new AbortController());
    const timer = setTimeout(() => asking.abort(new DOMException("too slow", "TimeoutError")), WITHIN_MS);
    try {
      const response = await fetch(this.url + PATH, {
        method: "POST",
        // No redirect is followed: a token must not travel to an address that nobody wrote down.
        redirect: "manual",
        headers: {
          ...this.headers,
          Accept: "application/json",
          "Content-Type": "application/json",
          ...(etag ? { "If-None-Match": etag } : {}),
        },
        body: JSON.stringify({ context: { targetingKey: this.name }, ...readInDrill }),
        signal: asking.signal,
      });
      try {
        if (response.status === 304 && etag) return undefined;
        this.check(response);
        return { text: await this.body(response), etag: response.headers.get("ETag") ?? "" };
      } finally {
        await response.body?.cancel().catch(() => undefined);
      }
    } catch (error) {
      if (error instanceof BotError) throw error;
      throw new BotError(`${this.url} does not answer (${kind(error)})`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends a question that is under way. */
  hangUp(): void {
    this.asking?.abort();
  }

  /**
   * Follows an announced stream of events and gives each line to `onLine`, after `onOpen`; resolves when it has ended.
   * Throws BotError. It does not keep the process alive.
   */
  async follow(address: string, lastEvent: string, ended: AbortSignal, onOpen: () => void, onLine: (line: string) => void): Promise<void> {
    // A path is one of the bot's own, wherever a proxy has put it.
    const url = new URL(address.startsWith("/") ? this.url + address : address);
    if (url.origin !== new URL(this.url).origin) throw new BotError(`${this.url} announced a stream elsewhere, which is not followed`);
    const headers = { ...this.headers, Accept: "text/event-stream", ...(lastEvent ? { "Last-Event-ID": lastEvent } : {}) };
    await new Promise<void>((resolve, reject) => {
      const request = (url.protocol === "https:" ? https : http).get(url, { headers, agent: false, signal: ended, timeout: IDLE_STREAM_MS });
      request.on("socket", (socket) => socket.unref());
      request.on("timeout", () => request.destroy(new Error("silence")));
      request.on("error", (error) => reject(new BotError(`the stream of ${this.url} ended (${kind(error)})`)));
      request.on("response", (response) => {
        if (response.statusCode !== 200 || type(response.headers["content-type"]) !== "text/event-stream") {
          request.destroy();
          reject(new BotError(`the stream of ${this.url} answered ${response.statusCode}`));
          return;
        }
        onOpen();
        let rest = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          const lines = (rest + piece).split("\n");
          rest = lines.pop() ?? "";
          if (rest.length > 65_536) request.destroy(new Error("an event is too long"));
          for (const line of lines) onLine(line.replace(/\r$/, ""));
        });
        response.on("error", (error) => reject(new BotError(`the stream of ${this.url} ended (${kind(error)})`)));
        response.on("end", resolve);
      });
    });
  }

  private check(response: Response): void {
    if (response.status === 401 || response.status === 403) {
      throw new BotError(`${this.url} refuses the token (${response.status}): give one of its server.read_tokens`);
    }
    if (response.status !== 200) {
      throw new BotError(`${this.url} answered ${response.status}`, pause(response.headers.get("Retry-After") ?? ""));
    }
    const found = type(response.headers.get("Content-Type") ?? "");
    if (found !== "application/json") {
      throw new BotError(`${this.url} answered ${found || "no type"} instead of JSON: is that the bot's address?`);
    }
  }

  private async body(response: Response): Promise<string> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      pieces.push(piece as Uint8Array);
      bytes += (piece as Uint8Array).length;
      if (bytes > MOST_BYTES) throw new BotError(`${this.url} answered more than ${MOST_BYTES / 1024 / 1024} MiB`);
    }
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
    } catch {
      throw new BotError(`${this.url} answered bytes that are no text`);
    }
  }
}

/** The cause in one word. */
function kind(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string; name?: string }; name?: string };
  return cause?.code ?? cause?.name ?? (error as { code?: string }).code?.toString() ?? name ?? "no reason";
}

function type(header: string | undefined): string {
  return (header ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** Whole seconds only: clients that guess at dates pause for half an hour. */
function pause(retryAfter: string): number {
  return /^\d+$/.test(retryAfter) ? Math.min(Number(retryAfter) * 1_000, LONGEST_PAUSE_MS) : 0;
}
