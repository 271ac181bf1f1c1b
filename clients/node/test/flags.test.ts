/** What the kit makes of the bot's answer, without a network. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { answerFor, bucket, NotFlags, parse } from "../src/flags.js";
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
