/** A bot that answers what a test tells it to, and remembers what it was asked. */

import * as http from "node:http";
import type { AddressInfo } from "node:net";

export type Reply = (request: http.IncomingMessage, response: http.ServerResponse) => void;

export interface Asked {
  headers: http.IncomingHttpHeaders;
  body: { context: { targetingKey: string }; drill_fallback?: string[]; drill_other?: string[] };
}

export class ScriptedBot {
  url = "";
  reply: Reply = answer("");
  events: Reply = (_, response) => response.writeHead(404).end();
  asked: Asked[] = [];
  private readonly server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      if (request.method === "GET") return this.events(request, response);
      this.asked.push({ headers: request.headers, body: JSON.parse(body) as Asked["body"] });
      this.reply(request, response);
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export function answer(body: string, status = 200, headers: http.OutgoingHttpHeaders = {}): Reply {
  return (_, response) => response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
}

export function flag(value: unknown, key = "chat", more: Record<string, unknown> = {}): Record<string, unknown> {
  return { key, value, reason: "STATIC", variant: "v", metadata: { phase: "normal" }, ...more };
}

export function flags(items: unknown[], more: Record<string, unknown> = {}): Reply {
  return answer(JSON.stringify({ rules: 1, flags: items, ...more }));
}

/** Waits for what happens soon. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const ends = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > ends) throw new Error("it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
