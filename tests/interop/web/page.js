// A page that reads a flag with OpenFeature's client for browsers, as an application would: `await openPage(url, token)`, then `read()`.

import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature } from "@openfeature/web-sdk";

const FLAG = "support-chat.llm";
const CODE_DEFAULT = { provider: "code" };

globalThis.openPage = async (url, token) => {
  await OpenFeature.setContext({ targetingKey: "customer-1" });
  const provider = new OFREPWebProvider({ baseUrl: url, headers: [["Authorization", `Bearer ${token}`]] });
  await OpenFeature.setProviderAndWait(provider).catch(() => undefined);
};

globalThis.read = () => {
  const found = OpenFeature.getClient().getObjectDetails(FLAG, CODE_DEFAULT);
  return [found.value.provider, found.reason];
};
