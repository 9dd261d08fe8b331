// Holds messages to those who are told against the platforms' own types and libraries: `notify.mjs FOLDER`, with the folders of
// tests/fixtures/notify/messages. Prints how many messages of each kind were checked, and what is wrong with them.
//
// These platforms publish neither types nor a schema of what a robot is sent: Feishu (but of the card), DingTalk, WeCom. The keys and the
// limits that they document are in tests/python/notify_kinds, as are those of SMN, whose own Python SDK has its types.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { problemsOfCard } from "./cards.mjs";
import { problemsOf } from "./literals.mjs";

const [folder] = process.argv.slice(2);
const files = (kind) => readdirSync(join(folder, kind)).sort();
const messages = (kind) =>
  files(kind).map((file) => ({ name: `${kind}/${file}`, ...JSON.parse(readFileSync(join(folder, kind, file), "utf8")) }));

const attachment = `import type { MessageAttachment } from "@mattermost/types/message_attachments";`;

// By kind: what is imported, and the type of each request's body, which may depend on its method and URL.
const types = {
  "slack-webhook": [`import type { IncomingWebhookSendArguments } from "@slack/webhook";`, () => `IncomingWebhookSendArguments`],
  slack: [
    `import type { ChatPostMessageArguments, ChatUpdateArguments } from "@slack/web-api";`,
    (request) => (request.endsWith("/chat.update") ? `ChatUpdateArguments` : `ChatPostMessageArguments`),
  ],
  // `IncomingWebhookRequest` of Mattermost is in Go alone.
  "mattermost-webhook": [attachment, () => `{ text: string; attachments: MessageAttachment[] }`],
  mattermost: [
    `${attachment}\nimport type { Post } from "@mattermost/types/posts";`,
    (request) => {
      const keys = request.startsWith("PUT ") ? `"message"` : `"channel_id" | "message" | "root_id"`;
      return `Pick<Post, ${keys}> & { props: { attachments: MessageAttachment[] } }`;
    },
  ],
  "google-chat": [`import type { chat_v1 } from "@googleapis/chat";`, () => `chat_v1.Schema$Message`],
  discord: [
    `import type { RESTPatchAPIWebhookWithTokenMessageJSONBody, RESTPostAPIWebhookWithTokenJSONBody } from "discord-api-types/v10";`,
    (request) =>
      request.startsWith("PATCH ") ? `RESTPatchAPIWebhookWithTokenMessageJSONBody` : `RESTPostAPIWebhookWithTokenJSONBody`,
  ],
  feishu: [
    `import type { InteractiveCard } from "@larksuiteoapi/node-sdk";`,
    () => `{ timestamp: string; sign: string; msg_type: "interactive"; card: InteractiveCard }`,
  ],
  pagerduty: [
    `import type { EventPayloadV2 } from "@pagerduty/pdjs/build/src/events";`,
    // Its type asks for a payload whenever, and the API for a trigger alone.
    (request, body) => (body.event_action === "trigger" ? `EventPayloadV2` : `Omit<EventPayloadV2, "payload">`),
  ],
};
const checked = {};
const groups = {};
for (const [kind, [imported, type]] of Object.entries(types)) {
  const all = messages(kind);
  checked[kind] = all.length;
  const literals = all.map(({ name, request, body }) => ({ name, type: type(request, body), json: body }));
  groups[`notify-${kind}`] = { imported, literals };
}
const problems = problemsOf(groups);

checked.teams = 0;
for (const { name, body } of messages("teams")) {
  for (const { content } of body.attachments) problems.push(...problemsOfCard(name, content));
  checked.teams += 1;
}

// The secret of tests/story/notify/shared.rs. The library's `verify` reads the clock.
const webhook = new Webhook("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
checked["standard-webhooks"] = 0;
for (const { name, headers, body } of messages("standard-webhooks")) {
  const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
  const signed = webhook.sign(headers["webhook-id"], at, JSON.stringify(body));
  if (signed !== headers["webhook-signature"]) problems.push(`${name}: the signature is ${headers["webhook-signature"]}, not ${signed}`);
  checked["standard-webhooks"] += 1;
}
console.log(JSON.stringify({ checked, problems }));
