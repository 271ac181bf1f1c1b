/** The last good flags in a file, for a process that starts while the bot is away. */

import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { type Flags, NotFlags, parse } from "./flags.js";

const FORMAT = 1;
const MOST_BYTES = 16 * 1024 * 1024;

/** The file could not be read or written, or must not be believed; the message says why. */
export class CacheError extends Error {}

/** A private file with the flags of one bot. It is written in one move, so nobody ever reads half of it. */
export class CacheFile {
  constructor(
    readonly path: string,
    private readonly url: string,
  ) {}

  /** What was saved last; undefined when there is no file. Throws CacheError for one that is not ours to believe. */
  async load(): Promise<Flags | undefined> {
    let raw: string;
    try {
      // At once: a pipe in its place would wait for a writer.
      const file = await open(this.path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      try {
        checkOwner(await file.stat());
        raw = await file.readFile("utf8");
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof CacheError) throw error;
      if (code(error) === "ENOENT") return undefined;
      throw new CacheError(`it cannot be read (${code(error)})`);
    }
    let data: unknown;
    try {
      data = JSON.parse(raw);
    } catch {
      throw new CacheError("it is not a cache of this client, or a broken one");
    }
    const { understudy_client: format, url, flags } = (data ?? {}) as Record<string, unknown>;
    if (format !== FORMAT || typeof flags !== "string") {
      throw new CacheError("it is not a cache of this version of the client, or a broken one");
    }
    if (url !== this.url) throw new CacheError("it holds the flags of another bot");
    try {
      return parse(flags);
    } catch (error) {
      if (error instanceof NotFlags) throw new CacheError(error.message);
      throw error;
    }
  }

  /** Keeps these flags, readable for our own user only; throws CacheError. */
  async save(flags: Flags): Promise<void> {
    const text = JSON.stringify({ understudy_client: FORMAT, url: this.url, flags: flags.text });
    const temporary = join(dirname(this.path), `.${basename(this.path)}.${randomBytes(6).toString("hex")}`);
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw new CacheError(`it cannot be written (${code(error)})`);
    }
  }
}

/** Whoever could plant this file could send our customers where they like. */
function checkOwner(about: Stats): void {
  if (!about.isFile()) throw new CacheError("it is no plain file");
  if (about.size > MOST_BYTES) throw new CacheError("it is too large");
  const us = process.geteuid?.();
  if (us === undefined) return; // Windows: the folder's rights are what counts
  if (about.uid !== us && about.uid !== 0) throw new CacheError("it belongs to another user");
  if ((about.mode & 0o022) !== 0) throw new CacheError("others may write it");
}

function code(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
