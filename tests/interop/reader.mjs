// A service in Node that reads the flag every 20 ms until its input closes, and prints each read: reader.mjs KIND URL FILE.
// KIND is kit, official, flagd (FILE is what our sink writes), or the path of a module that exports `route`.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [kind, url, file] = process.argv.slice(2);
const FLAG = "support-chat.llm";
const CODE_DEFAULT = { provider: "code" };

const installed = createRequire(new URL("../../clients/node/package.json", import.meta.url));

async function byClient(made) {
  const { OpenFeature } = installed("@openfeature/server-sdk");
  await OpenFeature.setProviderAndWait(made);
  const client = OpenFeature.getClient();
  return async () => {
    const found = await client.getObjectDetails(FLAG, CODE_DEFAULT, { targetingKey: "support-chat/1" });
    return [found.value.provider, found.reason];
  };
}

async function makeRoute() {
  const token = process.env.UNDERSTUDY_READ_TOKEN;
  if (kind === "kit") {
    const { UnderstudyProvider } = await import("../../clients/node/dist/index.js");
    return byClient(new UnderstudyProvider(url, { token, cache: file, pollEveryMs: 300 }));
  }
  if (kind === "official") {
    const { OFREPProvider } = installed("@openfeature/ofrep-provider");
    return byClient(new OFREPProvider({ baseUrl: url, headers: [["Authorization", `Bearer ${token}`]] }));
  }
  if (kind === "flagd") {
    const { FlagdProvider } = installed("@openfeature/flagd-provider");
    return byClient(new FlagdProvider({ resolverType: "in-process", offlineFlagSourcePath: file }));
  }
  const { route } = await import(pathToFileURL(kind));
  return async () => [(await route("customer-1")).provider, ""];
}

console.error = console.warn = () => undefined;
process.stdin.resume().on("end", () => process.exit(0));
const route = await makeRoute();
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const at = Date.now() / 1000;
  const began = performance.now();
  const [provider, reason] = await route();
  console.log(JSON.stringify({ at, took_s: (performance.now() - began) / 1000, provider, reason }));
}
