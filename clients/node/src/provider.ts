/** The OpenFeature provider: every read is answered from memory. */

import { hostname } from "node:os";

import {
  ErrorCode,
  type EvaluationContext,
  FlagNotFoundError,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  ProviderNotReadyError,
  type ResolutionDetails,
  StandardResolutionReasons,
  TypeMismatchError,
} from "@openfeature/server-sdk";

import { Bot } from "./bot.js";
import { CacheFile } from "./cache.js";
import { answerFor } from "./flags.js";
import { Keeper } from "./keeper.js";

export interface UnderstudyOptions {
  /** One of the bot's `server.read_tokens`. */
  token?: string | undefined;
  /** A file for the last good flags, so that a process that starts without the bot has them. */
  cache?: string | undefined;
  /** How often all flags are read in the background; 1000 by default. */
  pollEveryMs?: number | undefined;
  /** How this process shows among the readers of a flag; its host and process id by default. */
  name?: string | undefined;
  /** Where trouble is told, once each; standard error by default. */
  log?: ((line: string) => void) | undefined;
}

/**
 * Understudy's fallback flags for a service, read in the background.
 *
 * A read never waits. While the bot is away, readers get its last answer with the reason STALE; a process that starts then takes
 * it from the file `cache`, with the reason CACHED; only where there is none do they get their code default, which should be
 * the fallback. Throws TypeError for an address that is none.
 */
export class UnderstudyProvider implements Provider {
  readonly metadata = { name: "understudy" } as const;
  readonly runsOn = "server" as const;
  readonly events = new OpenFeatureEventEmitter();
  private readonly keeper: Keeper;

  constructor(url: string, options: UnderstudyOptions = {}) {
    const { token, cache, pollEveryMs = 1_000, name = `${hostname()}/${process.pid}` } = options;
    if (!Number.isFinite(pollEveryMs) || pollEveryMs <= 0) throw new TypeError("pollEveryMs is a number above zero");
    const bot = new Bot(url, token, name);
    const log = options.log ?? ((line: string) => console.warn(`understudy: ${line}`));
    this.keeper = new Keeper(bot, cache === undefined ? undefined : new CacheFile(cache, bot.url), pollEveryMs, {
      log,
      onChange: (flagsChanged) => this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged }),
      onState: (state, message) => {
        if (state === "fresh") this.events.emit(ProviderEvents.Ready, {});
        else if (state === "old") this.events.emit(ProviderEvents.Stale, { message });
        else this.events.emit(ProviderEvents.Error, { message, errorCode: ErrorCode.PROVIDER_NOT_READY });
      },
    });
  }

  /** Begins to read; waits at most 1.5 s for the first answer, and fails for no bot that is away. */
  async initialize(): Promise<void> {
    await this.keeper.start();
  }

  /** Ends the background work. */
  async onClose(): Promise<void> {
    this.keeper.stop();
  }

  async resolveBooleanEvaluation(key: string, _: boolean, context: EvaluationContext): Promise<ResolutionDetails<boolean>> {
    return this.resolve(key, "boolean", context);
  }

  async resolveStringEvaluation(key: string, _: string, context: EvaluationContext): Promise<ResolutionDetails<string>> {
    return this.resolve(key, "string", context);
  }

  async resolveNumberEvaluation(key: string, _: number, context: EvaluationContext): Promise<ResolutionDetails<number>> {
    return this.resolve(key, "number", context);
  }

  async resolveObjectEvaluation<T extends JsonValue>(key: string, _: T, context: EvaluationContext): Promise<ResolutionDetails<T>> {
    return this.resolve(key, "object", context);
  }

  private resolve<T>(key: string, kind: string, context: EvaluationContext): ResolutionDetails<T> {
    const { flags, fromFile, fresh } = this.keeper;
    if (flags === undefined) throw new ProviderNotReadyError("Understudy has not answered yet, and no earlier answer is saved");
    const flag = flags.byKey.get(key);
    if (flag === undefined) throw new FlagNotFoundError(`Understudy has no flag ${JSON.stringify(key.slice(0, 100))}`);
    const answer = answerFor(flag, context);
    if (flag.drill !== undefined) this.keeper.noteInDrill(key, answer === flag.drill ? "drill_fallback" : "drill_other");
    if (typeof answer.value !== kind) throw new TypeMismatchError(`flag ${key} is of type ${typeof answer.value}: read it as that`);
    const old = fromFile ? StandardResolutionReasons.CACHED : StandardResolutionReasons.STALE;
    return {
      value: (answer.text === undefined ? answer.value : JSON.parse(answer.text)) as T,
      variant: answer.variant,
      reason: fresh ? answer.reason : old,
      flagMetadata: { ...answer.metadata },
    };
  }
}
