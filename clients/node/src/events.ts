/** Listens to the bot's stream of events, so that a change is read at once instead of at the next poll. */

import { setTimeout as sleep } from "node:timers/promises";

import type { Bot } from "./bot.js";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** One stream, opened again whenever it ends. `onChange` is called for every change, and after every opening and end. */
export class Listener {
  connected = false;
  private readonly ended = new AbortController();
  private lastEvent = "";
  private data: string[] = [];

  constructor(
    private readonly bot: Bot,
    readonly address: string,
    private readonly onChange: () => void,
  ) {
    void this.loop();
  }

  /** Ends it, also in the middle of a read. */
  stop(): void {
    this.ended.abort();
  }

  private async loop(): Promise<void> {
    const { signal } = this.ended;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        const onOpen = (): void => {
          this.connected = true;
          this.data = [];
          pauseMs = FIRST_PAUSE_MS;
          this.onChange();
        };
        await this.bot.follow(this.address, this.lastEvent, signal, onOpen, (line) => this.take(line));
      } catch {
        // Polling goes on without us, and says what is wrong.
      }
      if (signal.aborted) return;
      if (this.connected) {
        this.connected = false;
        this.onChange(); // what we missed is read at once, and polled for from now on
      }
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** One line, by the rules of server-sent events as far as we use them. */
  private take(line: string): void {
    if (line === "") {
      if (this.data.length > 0 && asksToRefetch(this.data.join("\n"))) this.onChange();
      this.data = [];
      return;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === "data") this.data.push(value ?? "");
    if (name === "id") this.lastEvent = value ?? "";
  }
}

function asksToRefetch(data: string): boolean {
  try {
    return (JSON.parse(data) as { type?: unknown } | null)?.type === "refetchEvaluation";
  } catch {
    return false;
  }
}
