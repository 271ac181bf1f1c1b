/** Keeps the last good flags: asks the bot in the background, holds its last answer in memory, and in a file. */

import { type Bot, BotError } from "./bot.js";
import { CacheError, type CacheFile } from "./cache.js";
import { Listener } from "./events.js";
import { type Flags, NotFlags, parse } from "./flags.js";

const STALE_POLLS = 3; // a bot that restarts misses one or two
const STALE_AT_LEAST_MS = 3_000;
const BESIDE_A_STREAM_MS = 10_000; // how often we ask all the same while a stream tells us of changes
const FIRST_ANSWER_MS = 1_500; // how long a start may take; longer than a bot needs, shorter than a deployment notices

/** What a reader can expect: no flag is known; the last good answer, which may be out of date; what the bot says. */
export type State = "nothing" | "old" | "fresh";

/** What the provider is told, and how. */
export interface Ears {
  onState(state: State, why: string): void;
  onChange(keys: string[]): void;
  log(line: string): void;
}

/** The flags of one bot. Reads take `flags`, `fromFile` and `fresh`, which never wait. */
export class Keeper {
  flags: Flags | undefined;
  fromFile = false;
  private freshUntil = 0; // on the steady clock: clocks that people set may jump
  private readonly staleAfterMs: number;
  private etag = "";
  private trouble = "";
  private told: State = "fresh"; // the SDK itself tells READY, once `initialize` has returned
  private telling = false;
  private readInDrill = new Map<string, Set<string>>();
  private listener: Listener | undefined;
  private ended = new AbortController();
  private wake: () => void = () => undefined;
  private woken = false;

  constructor(
    private readonly bot: Bot,
    private readonly file: CacheFile | undefined,
    private readonly pollEveryMs: number,
    private readonly ears: Ears,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.staleAfterMs = Math.max(STALE_POLLS * pollEveryMs, STALE_AT_LEAST_MS);
  }

  /** Takes what the file has, asks in the background, and waits a moment for the first answer. */
  async start(): Promise<void> {
    this.ended = new AbortController();
    await this.load();
    const first = this.look().catch((error: unknown) => this.failedOnOurSide(error));
    void this.loop(first, this.ended.signal);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([first, new Promise((resolve) => (timer = setTimeout(resolve, FIRST_ANSWER_MS)))]);
    clearTimeout(timer);
    this.telling = true;
  }

  /** Ends the background work; what is held can still be read. */
  stop(): void {
    this.ended.abort();
    this.bot.hangUp();
    this.listener?.stop();
    this.listener = undefined;
    this.wake();
  }

  /** Whether the bot was heard lately. */
  get fresh(): boolean {
    return this.now() <= this.freshUntil;
  }

  /** What a reader can expect now. */
  get state(): State {
    if (this.flags === undefined) return "nothing";
    return this.fresh ? "fresh" : "old";
  }

  /** This flag was read while a drill runs: the bot's report names who is ready for a real outage. */
  noteInDrill(key: string, side: "drill_fallback" | "drill_other"): void {
    const keys = this.readInDrill.get(side) ?? new Set();
    this.readInDrill.set(side, keys.add(key));
  }

  /** Begins with what an earlier process saved; a file that cannot be believed is left alone, and said. */
  async load(): Promise<void> {
    if (this.file === undefined || this.flags !== undefined) return;
    try {
      this.flags = await this.file.load();
      this.fromFile = this.flags !== undefined;
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      this.ears.log(`the flags saved in ${this.file.path} are not used: ${error.message}`);
    }
  }

  /** Asks the bot once and remembers what it says; returns the milliseconds until the next time. */
  async look(): Promise<number> {
    const began = this.now();
    const reads = this.readInDrill;
    this.readInDrill = new Map();
    try {
      const told = Object.fromEntries([...reads].map(([side, keys]) => [side, [...keys].sort()]));
      const received = await this.bot.ask(this.etag, told);
      if (received !== undefined) {
        await this.take(this.understood(received.text));
        this.etag = received.etag;
      }
    } catch (error) {
      if (!(error instanceof BotError)) throw error;
      for (const [side, keys] of reads) for (const key of keys) this.noteInDrill(key, side as "drill_fallback");
      return this.failed(error);
    }
    const pauseMs = this.listens() ? Math.max(this.pollEveryMs, BESIDE_A_STREAM_MS) : this.pollEveryMs;
    this.freshUntil = began + Math.max(this.staleAfterMs, STALE_POLLS * pauseMs);
    if (this.trouble !== "") {
      this.ears.log("flags are read again");
      this.trouble = "";
    }
    this.tell("");
    return pauseMs;
  }

  private async loop(first: Promise<number>, ended: AbortSignal): Promise<void> {
    let pauseMs = await first;
    while (!ended.aborted) {
      await this.sleep(pauseMs * (0.9 + Math.random() / 5)); // so that a thousand services do not ask at once
      if (ended.aborted) return;
      pauseMs = await this.look().catch((error: unknown) => this.failedOnOurSide(error));
    }
  }

  /** Waits, but not for longer than until `wake`; a process that has nothing else to do may end meanwhile. */
  private async sleep(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms).unref();
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = () => undefined;
    }
    this.woken = false;
  }

  private understood(text: string): Flags {
    try {
      return parse(text, this.flags?.byKey);
    } catch (error) {
      if (!(error instanceof NotFlags)) throw error;
      throw new BotError(`${this.bot.url} answered something that is no set of flags: ${error.message}`);
    }
  }

  private async take(flags: Flags): Promise<void> {
    const before = this.flags;
    this.flags = flags;
    this.fromFile = false;
    if (before !== undefined) {
      const keys = new Set([...before.byKey.keys(), ...flags.byKey.keys()]);
      const same = (key: string): boolean => JSON.stringify(before.byKey.get(key)) === JSON.stringify(flags.byKey.get(key));
      const changed = [...keys].filter((key) => !same(key)).sort();
      if (changed.length > 0) this.ears.onChange(changed);
    }
    try {
      await this.file?.save(flags);
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      this.ears.log(`the flags could not be saved in ${this.file?.path}: ${error.message}`);
    }
  }

  private failed(error: BotError): number {
    if (this.ended.signal.aborted) return this.pollEveryMs;
    this.freshUntil = Math.min(this.freshUntil, this.now() + this.staleAfterMs);
    if (error.message !== this.trouble) {
      this.trouble = error.message;
      this.ears.log(`${error.message}; ${this.flags ? "the last good flags are served" : "readers get their code defaults"}`);
    }
    this.tell(error.message);
    return Math.max(this.pollEveryMs, error.pauseMs);
  }

  /** The root of our work: reads must go on being served, and the next round may do better. */
  private failedOnOurSide(error: unknown): number {
    this.ears.log(`reading flags failed on our side: ${error instanceof Error ? error.stack : String(error)}`);
    return this.pollEveryMs;
  }

  private tell(why: string): void {
    const state = this.state;
    if (!this.telling || state === this.told) return;
    this.told = state;
    this.ears.onState(state, why);
  }

  /** Follows the stream that the bot announces; whether it tells us of changes at this moment. */
  private listens(): boolean {
    const address = this.flags?.streams[0];
    if (this.listener !== undefined && this.listener.address !== address) {
      this.listener.stop();
      this.listener = undefined;
    }
    if (address === undefined || this.ended.signal.aborted) return false;
    this.listener ??= new Listener(this.bot, address, () => {
      this.woken = true;
      this.wake();
    });
    return this.listener.connected;
  }
}
