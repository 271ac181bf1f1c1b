/** The kit as a service uses it: through the OpenFeature SDK, over real HTTP, with its file. */

import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { type Client, OpenFeature, ProviderEvents, ProviderStatus } from "@openfeature/server-sdk";

import { UnderstudyProvider, type UnderstudyOptions } from "../src/index.js";
import { answer, flag, flags, type Reply, ScriptedBot, until } from "./scripted.js";

const EVERY_TYPE = [flag(true, "on"), flag("gpt", "text"), flag(3, "count"), flag(0.5, "rate"), flag({ model: "g" }, "route")];
const GOOD = flags(EVERY_TYPE);

let bot: ScriptedBot;
let log: string[];
let folder: string;

beforeEach(async () => {
  bot = await new ScriptedBot().start();
  bot.reply = GOOD;
  log = [];
  folder = await mkdtemp(join(tmpdir(), "kit-"));
});

afterEach(async () => {
  await OpenFeature.close();
  await bot.stop();
});

async function connected(options: UnderstudyOptions = {}): Promise<Client> {
  const provider = new UnderstudyProvider(bot.url, { pollEveryMs: 30, log: (line) => log.push(line), ...options });
  await OpenFeature.setProviderAndWait("kit", provider);
  return OpenFeature.getClient("kit");
}

function rounds(more: number): () => boolean {
  const wanted = bot.asked.length + more;
  return () => bot.asked.length >= wanted;
}

test("flag is read in its type, with variant, reason and metadata", async () => {
  const client = await connected();
  assert.equal(await client.getBooleanValue("on", false), true);
  assert.equal(await client.getNumberValue("count", 0), 3);
  assert.equal(await client.getNumberValue("rate", 0), 0.5);
  assert.deepEqual(await client.getObjectValue("route", {}), { model: "g" });
  const found = await client.getStringDetails("text", "-");
  assert.deepEqual([found.value, found.variant, found.reason, found.flagMetadata], ["gpt", "v", "STATIC", { phase: "normal" }]);
});

test("wrong type and unknown flag give the code default and say so", async () => {
  const client = await connected();
  const wrong = await client.getBooleanDetails("text", false);
  const unknown = await client.getStringDetails("nope", "mine");
  assert.deepEqual([wrong.value, wrong.errorCode], [false, "TYPE_MISMATCH"]);
  assert.deepEqual([unknown.value, unknown.errorCode], ["mine", "FLAG_NOT_FOUND"]);
});

test("a reader may change the object that it got", async () => {
  const client = await connected();
  (await client.getObjectValue<{ model: string }>("route", { model: "" })).model = "mine";
  assert.deepEqual(await client.getObjectValue("route", {}), { model: "g" });
});

const huge: Reply = (_, response) => {
  response.writeHead(200, { "Content-Type": "application/json" });
  const more = (): void => void (response.destroyed || response.write("x".repeat(1_000_000), more));
  more();
};
const BAD: Record<string, Reply> = {
  html: answer("<html>hi</html>", 200, { "Content-Type": "text/html" }),
  500: answer("{}", 500),
  "half a body": (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 1000 });
    response.write('{"flags": [');
    setTimeout(() => response.destroy(), 5);
  },
  reset: (request) => request.socket.resetAndDestroy(),
  huge,
  "another schema": answer('{"features": []}'),
  "another version": answer('{"rules": 2, "flags": []}'),
  "a redirect": answer("", 307, { Location: "http://127.0.0.1:1/" }),
  "a refused token": answer("{}", 401),
};

for (const [name, bad] of Object.entries(BAD)) {
  test(`bad answer changes nothing and is said once: ${name}`, async () => {
    const client = await connected({ token: "token-of-mine" });
    bot.reply = bad;
    await until(rounds(3));
    assert.equal(await client.getStringValue("text", "-"), "gpt");
    assert.equal(log.length, 1, log.join("\n"));
    assert.ok(!log.join().includes("token-of-mine"));
    bot.reply = GOOD;
    await until(() => log.at(-1) === "flags are read again");
  });
}

test("service starts without a bot, and takes it when it comes", async () => {
  bot.reply = answer("", 503);
  const client = await connected();
  const found = await client.getStringDetails("text", "fallback");
  assert.deepEqual([found.value, found.errorCode], ["fallback", "PROVIDER_NOT_READY"]);
  await until(() => client.providerStatus === ProviderStatus.ERROR);
  bot.reply = GOOD;
  await until(async () => (await client.getStringValue("text", "-")) === "gpt");
  await until(() => client.providerStatus === ProviderStatus.READY);
});

test("change is an event with the names of the flags", async () => {
  const client = await connected();
  const heard: unknown[] = [];
  client.addHandler(ProviderEvents.ConfigurationChanged, (event) => void heard.push(event?.flagsChanged));
  bot.reply = flags([flag("claude", "text"), ...EVERY_TYPE.filter((one) => one["key"] !== "text")]);
  await until(() => heard.length > 0);
  assert.deepEqual(heard, [["text"]]);
});

test("bot that hangs delays no read", async () => {
  const client = await connected();
  bot.reply = () => undefined;
  await until(rounds(1));
  const began = performance.now();
  for (let n = 0; n < 1_000; n++) assert.equal(await client.getStringValue("text", "-"), "gpt");
  assert.ok(performance.now() - began < 1_000);
});

test("bot that hangs delays a start by a moment only", async () => {
  bot.reply = () => undefined;
  const began = performance.now();
  const client = await connected();
  assert.ok(performance.now() - began < 2_500);
  assert.equal(await client.getStringValue("text", "fallback"), "fallback");
});

test("unchanged flags cost no body", async () => {
  bot.reply = answer(JSON.stringify({ flags: EVERY_TYPE }), 200, { ETag: '"v1"' });
  const client = await connected();
  bot.reply = (_, response) => response.writeHead(304).end();
  await until(rounds(2));
  assert.equal(bot.asked.at(-1)?.headers["if-none-match"], '"v1"');
  assert.equal((await client.getStringDetails("text", "-")).reason, "STATIC");
});

test("process that starts without a bot takes the file, marked as that", async () => {
  const cache = join(folder, "flags.json");
  await connected({ cache });
  await until(async () => (await readdir(folder)).includes("flags.json"));
  assert.equal((await stat(cache)).mode & 0o777, 0o600);
  await OpenFeature.close();
  bot.reply = answer("", 503);
  const client = await connected({ cache });
  const found = await client.getStringDetails("text", "fallback");
  assert.deepEqual([found.value, found.reason], ["gpt", "CACHED"]);
  await until(() => client.providerStatus === ProviderStatus.STALE);
  assert.deepEqual(await readdir(folder), ["flags.json"]);
});

const FILES: Record<string, (path: string) => Promise<void>> = {
  "half a file": async (path) => writeFile(path, '{"understudy_cl', { mode: 0o600 }),
  "another bot's": async (path) =>
    writeFile(path, JSON.stringify({ understudy_client: 1, url: "http://staging", flags: '{"flags": []}' }), { mode: 0o600 }),
  "one that others may write": async (path) => {
    await writeFile(path, JSON.stringify({ understudy_client: 1, url: bot.url, flags: '{"flags": []}' }));
    await chmod(path, 0o666);
  },
  "a folder": async (path) => void (await mkdir(path)),
};

for (const [name, write] of Object.entries(FILES)) {
  test(`file that cannot be believed is left alone and said: ${name}`, async () => {
    const cache = join(folder, "flags.json");
    await write(cache);
    bot.reply = answer("", 503);
    const client = await connected({ cache });
    assert.equal((await client.getStringDetails("text", "fallback")).errorCode, "PROVIDER_NOT_READY");
    assert.match(log[0] ?? "", /flags\.json are not used/);
  });
}

test("file holds no token", async () => {
  const cache = join(folder, "flags.json");
  await connected({ cache, token: "token-of-mine" });
  assert.ok(!(await readFile(cache, "utf8")).includes("token-of-mine"));
});

test("flags that cannot be saved are served all the same", async () => {
  const client = await connected({ cache: join(folder, "gone", "flags.json") });
  assert.equal(await client.getStringValue("text", "-"), "gpt");
  await until(() => log.some((line) => line.includes("could not be saved")));
});

test("reads in a drill reach the bot", async () => {
  bot.reply = flags([flag("claude", "text", { drill: { variant: "gpt", value: "gpt", metadata: { drill: true } } })]);
  const client = await connected();
  assert.equal(await client.getStringValue("text", "-", { understudy_drill: true }), "gpt");
  await until(() => bot.asked.some((asked) => asked.body.drill_fallback?.[0] === "text"));
});

test("stream of events brings a change at once, and polling takes over when it ends", async () => {
  let stream: ServerResponse | undefined;
  bot.events = (_, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" }).write(": hello\n\n");
    stream = response;
  };
  const eventStreams = [{ type: "sse", endpoint: { requestUri: "/ofrep/v1/events" } }];
  const saying = (value: string): Reply => flags([flag(value, "text")], { eventStreams });
  bot.reply = saying("one");
  const client = await connected({ pollEveryMs: 200 });
  await until(() => stream !== undefined);
  await until(() => bot.asked.length === 2); // at the start, and when the stream was open
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(bot.asked.length, 2, "no poll beside an open stream");
  bot.reply = saying("two");
  stream?.write('id: 7\ndata: {"type": "refetch');
  stream?.write('Evaluation"}\n\n');
  await until(async () => (await client.getStringValue("text", "-")) === "two");
  bot.reply = saying("three");
  bot.events = (_, response) => response.writeHead(404).end();
  stream?.end();
  await until(async () => (await client.getStringValue("text", "-")) === "three");
  await until(rounds(3));
});

test("address that is none is refused at once, without repeating a secret", () => {
  for (const url of ["", "127.0.0.1:8080", "ftp://bot", "http://user:secret@bot:8080", "http://bot:8080/?token=secret"]) {
    assert.throws(() => new UnderstudyProvider(url), (error: Error) => error instanceof TypeError && !error.message.includes("secret"));
  }
  for (const pollEveryMs of [0, -1, NaN, Infinity]) assert.throws(() => new UnderstudyProvider("http://bot", { pollEveryMs }), TypeError);
});
