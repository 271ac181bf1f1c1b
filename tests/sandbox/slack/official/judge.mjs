// An app on Slack's own clients: makes a channel, posts, edits and pins in it; answers a slash word with a form, a form and a button with words.
// One line of JSON to standard output for each thing that happened; ends when standard input does.

import { createRequire } from "node:module";

const { SLACK_API_URL, BOT_TOKEN, APP_TOKEN, CLIENTS, INVITE } = process.env;
const load = createRequire(`${CLIENTS}/`);
const { WebClient } = load("@slack/web-api");
const { SocketModeClient } = load("@slack/socket-mode");

const tell = (what, more = {}) => console.log(JSON.stringify({ what, ...more }));
const web = new WebClient(BOT_TOKEN, { slackApiUrl: SLACK_API_URL, retryConfig: { retries: 0 } });
const socket = new SocketModeClient({ appToken: APP_TOKEN, clientOptions: { slackApiUrl: SLACK_API_URL } });

const FORM = {
  type: "modal",
  callback_id: "note",
  title: { type: "plain_text", text: "A note" },
  submit: { type: "plain_text", text: "Write" },
  blocks: [
    {
      type: "input",
      block_id: "text",
      label: { type: "plain_text", text: "What happened?" },
      element: { type: "plain_text_input", action_id: "text" },
    },
  ],
};
const BUTTON = { type: "button", action_id: "ack", text: { type: "plain_text", text: "Acknowledge" }, value: "INC-7" };

socket.on("slash_commands", async ({ ack, body }) => {
  await ack();
  await web.views.open({ trigger_id: body.trigger_id, view: FORM });
  tell("slash", { command: body.command, text: body.text });
});

socket.on("interactive", async ({ ack, body }) => {
  await ack();
  if (body.type === "view_submission") tell("form", { text: body.view.state.values.text.text.value });
  if (body.type === "block_actions") tell("button", { value: body.actions[0].value, user: body.user.id });
});

socket.on("message", async ({ ack, event }) => {
  await ack();
  if (!event.bot_id && !event.subtype) tell("message", { text: event.text });
});

async function run() {
  const me = await web.auth.test();
  const { channel } = await web.conversations.create({ name: "inc-official" });
  await web.conversations.setTopic({ channel: channel.id, topic: "SEV2" });
  await web.conversations.invite({ channel: channel.id, users: INVITE });
  const posted = await web.chat.postMessage({
    channel: channel.id,
    text: "Claude is down",
    blocks: [{ type: "actions", block_id: "buttons", elements: [BUTTON] }],
  });
  await web.pins.add({ channel: channel.id, timestamp: posted.ts });
  await web.chat.postMessage({ channel: channel.id, text: "a reply", thread_ts: posted.ts });
  await web.files.uploadV2({ channel_id: channel.id, filename: "INC-7.md", content: "# INC-7" });
  const read = [];
  for await (const page of web.paginate("conversations.list", { limit: 1 })) read.push(...page.channels.map((one) => one.name));
  const refused = await web.chat.postMessage({ channel: "C0NOWHERE", text: "x" }).catch((error) => error.data.error);
  await socket.start();
  tell("ready", { bot: me.user_id, channel: channel.id, read, refused });
}

process.stdin.resume();
process.stdin.on("end", async () => {
  await socket.disconnect();
  process.exit(0);
});
run().catch((error) => {
  tell("failed", { error: String(error.stack) });
  process.exit(1);
});
