/** What the kit makes of the bot's answer, without a network. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { answerFor, beganMs, bucket, NotFlags, parse } from "../src/flags.js";
import { flag } from "./scripted.js";

// Made by bot.flags.evaluate.bucket; tests/interop compares thousands more with a running bot.
const PLACES: [string, number][] = [
  ["user-1", 616],
  ["", 4527],
  ["\u00fc", 6128],
  ["\u65e5\u672c", 4343],
  ["\ud800", 8555],
  ["a:b", 714],
  ["x".repeat(200), 2335],
];

for (const [reader, place] of PLACES) {
  test(`reader ${JSON.stringify(reader.slice(0, 20))} stands where the bot puts it`, () => {
    assert.equal(bucket("chat#1", reader), place);
  });
}

for (const text of [
  "", "{", "[]", "null", "<html>", '{"flags": {}}', '{"flags": [7]}', '{"flags": [{"value": 1}]}', '{"flags": [{"key": 7, "value": 1}]}',
  '{"flags": [{"key": "a"}]}', '{"flags": [{"key": "a", "value": null}]}', '{"flags": [{"key": "a", "value": NaN}]}',
  '{"flags": [{"key": "a", "value": 1, "variant": 7}]}', '{"flags": [{"key": "a", "value": 1, "metadata": 7}]}',
  '{"rules": 2, "flags": []}', '{"rules": {}, "flags": []}', '{"flags": [{"key": "a", "value": 1, "split": 7}]}',
  '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": 1.5, "value": 2}}]}',
  '{"flags": [{"key": "a", "value": 1, "split": {"seed": "s", "below": 5}}]}', '{"flags": [{"key": "a", "value": 1, "drill": {}}]}',
]) {
  test(`answer of another shape is refused whole: ${text}`, () => {
    assert.throws(() => parse(text), NotFlags);
  });
}

test("what we do not know is left alone", () => {
  const eventStreams = [{ type: "carrier-pigeon" }, 7, { type: "sse", endpoint: { requestUri: "/events" } }];
  const found = parse(JSON.stringify({ flags: [flag(1, "chat", { colour: "red", metadata: { a: 1, b: null, c: [1] } })], eventStreams }));
  assert.deepEqual(found.byKey.get("chat")?.plain.metadata, { a: 1 });
  assert.deepEqual(found.streams, ["/events"]);
});

test("flag that the server could not evaluate keeps its last answer", () => {
  const before = parse(JSON.stringify({ flags: [flag("good")] }));
  const after = parse('{"flags": [{"key": "chat", "errorCode": "GENERAL"}]}', before.byKey);
  assert.equal(after.byKey.get("chat")?.plain.value, "good");
});

test("readers are told apart by what the bot names, else by their targeting key", () => {
  const split = { seed: "chat#1", below: 5_000, by: "conversation", variant: "claude", value: "claude" };
  const found = parse(JSON.stringify({ flags: [flag("gpt", "chat", { split })] })).byKey.get("chat");
  assert.ok(found);
  const [back, stays] = ["user-1", "\u00fc"]; // 616 and 6128
  const contexts = [
    { targetingKey: stays, conversation: back },
    { targetingKey: back, conversation: stays },
    ...[undefined, null, "", true, 1.5, 2 ** 53, Infinity, [stays]].map((conversation) => ({ targetingKey: back, conversation })),
    { conversation: back },
    {},
  ];
  const values = contexts.map((context) => answerFor(found, context).value);
  assert.deepEqual(values, ["claude", "gpt", ...Array.from({ length: 8 }, () => "claude"), "claude", "gpt"]);
});

test("a part of the readers gets its own answer, the first that holds", () => {
  const [inside, outside] = ["user-1", "\u00fc"]; // 616 and 6128
  const split = { seed: "chat#1", below: 5_000, by: "targetingKey" };
  const scopes = [
    { attribute: "env", equals: "eu", variant: "cached", value: "cached", split },
    { attribute: "tenant", equals: "7", variant: "gpt", value: "gpt", metadata: { scope: "tenant=7" } },
    { attribute: "beta", equals: "true", variant: "gpt", value: "beta" },
    { attribute: "targetingKey", equals: "acme", variant: "gpt", value: "acme" },
  ];
  const found = parse(JSON.stringify({ rules: 1, flags: [flag("claude", "chat", { scopes })] })).byKey.get("chat");
  assert.ok(found);
  const given: [Record<string, unknown>, string, string][] = [
    [{ env: "eu", targetingKey: outside }, "cached", "SPLIT"], [{ env: "eu", targetingKey: inside }, "claude", "STATIC"],
    [{ env: "eu", targetingKey: inside, tenant: 7 }, "gpt", "TARGETING_MATCH"], [{ tenant: "7" }, "gpt", "TARGETING_MATCH"],
    [{ tenant: 7.5 }, "claude", "STATIC"], [{ beta: true }, "beta", "TARGETING_MATCH"], [{ beta: "true" }, "beta", "TARGETING_MATCH"],
    [{ beta: 1 }, "claude", "STATIC"], [{ targetingKey: "acme" }, "acme", "TARGETING_MATCH"], [{ env: "EU" }, "claude", "STATIC"],
    [{}, "claude", "STATIC"],
  ];
  for (const [context, value, reason] of given) {
    const answer = answerFor(found, context);
    assert.deepEqual([answer.value, answer.reason], [value, reason], JSON.stringify(context));
  }
});

for (const scopes of [7, [7], [{ attribute: "a", value: 1 }], [{ attribute: "a", equals: "", value: 1 }], [{ attribute: "a", equals: "x" }]]) {
  test(`rules with a broken part are refused whole: ${JSON.stringify(scopes)}`, () => {
    assert.throws(() => parse(JSON.stringify({ flags: [flag(1, "chat", { scopes })] })), NotFlags);
  });
}

// The same as in tests/flags/test_conversations.py, for the bot and the kit in Python.
const MS = 1_774_008_000_000;
const BEGAN: [unknown, number][] = [
  ["2026-03-20T12:00:00Z", MS], ["2026-03-20t12:00:00z", MS], ["2026-03-20 14:00:00+02:00", MS], ["2026-03-20T12:00:00.1239Z", MS + 123],
  ["2026-03-20T12:00:00.5-00:00", MS + 500], ["2024-02-29T00:00:00Z", 1_709_164_800_000], [MS / 1000, MS], [MS / 1000 + 0.25, MS + 250],
  [0, 0], [new Date(MS), MS],
];
const NONSENSE: unknown[] = [
  undefined, null, true, false, "", "yesterday", "2026-03-20", "2026-03-20T12:00:00", "2026-03-20T12:00Z", "2026-02-30T12:00:00Z",
  "2026-13-01T12:00:00Z", "2026-03-20T24:00:00Z", "2026-03-20T12:60:00Z", "2026-03-20T12:00:60Z", "0000-01-01T00:00:00Z",
  "0050-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-03-20T12:00:00+24:00", "2026-03-20T12:00:00+01:60", "2026-03-20T12:00:00Z\n",
  " 2026-03-20T12:00:00Z", "\u0662026-03-20T12:00:00Z", "2026-03-20T12:00:00.Z", "9999-12-31T23:59:59-23:59", MS, -1, NaN, Infinity,
  [MS], { at: MS }, String(MS / 1000), new Date(NaN), new Date(-1),
];

for (const [said, ms] of BEGAN) {
  test(`a beginning is read: ${JSON.stringify(said)}`, () => {
    assert.equal(beganMs({ conversation_started_at: said }), ms);
  });
}

for (const said of NONSENSE) {
  test(`nonsense is no beginning: ${JSON.stringify(said)}`, () => {
    assert.equal(beganMs({ conversation_started_at: said }), undefined);
  });
}

test("a conversation takes the steps after which it began", () => {
  const later = [{ since: MS, below: 2_000 }, { since: MS + 60_000, below: 10_000 }];
  const split = { seed: "chat#1", below: 0, variant: "claude", value: "claude", later };
  const found = parse(JSON.stringify({ flags: [flag("gpt", "chat", { split })] })).byKey.get("chat");
  assert.ok(found);
  const at = (reader: string, seconds?: number): unknown =>
    answerFor(found, { targetingKey: reader, conversation_started_at: seconds === undefined ? undefined : MS / 1000 + seconds }).value;
  const values = [at("user-1"), at("user-1", -1), at("user-1", 0), at("\u00fc", 0), at("\u00fc", 60)]; // 616 and 6128
  assert.deepEqual(values, ["gpt", "gpt", "claude", "gpt", "claude"]);
});

for (const later of [7, [7], [{ since: 1 }], [{ since: 1, below: 1.5 }], [{ since: "1", below: 1 }]]) {
  test(`steps of another shape are refused whole: ${JSON.stringify(later)}`, () => {
    const split = { seed: "s", below: 5, value: 2, later };
    assert.throws(() => parse(JSON.stringify({ flags: [flag(1, "a", { split })] })), NotFlags);
  });
}

test("reader without a name stays on the fallback, and a drill needs the JSON value true", () => {
  const found = parse(
    JSON.stringify({
      flags: [
        flag("gpt", "chat", {
          split: { seed: "chat#1", below: 10_000, variant: "claude", value: "claude" },
          drill: { variant: "cache", value: "cache", metadata: { drill: true } },
        }),
      ],
    }),
  ).byKey.get("chat");
  assert.ok(found);
  const values = [{}, { targetingKey: "" }, { targetingKey: "a" }, { understudy_drill: "true" }, { understudy_drill: true }].map(
    (context) => answerFor(found, context).value,
  );
  assert.deepEqual(values, ["gpt", "gpt", "claude", "gpt", "cache"]);
});
