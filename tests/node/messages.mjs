// Holds messages against the platforms' own types: `messages.mjs FOLDER`, with the files of tests/fixtures/messages. TypeScript checks
// each message as a literal, so that a key that the platform does not have is an error, too; Adaptive Cards are parsed by their own
// library. Prints how many messages of each kind were checked, and what is wrong with them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { problemsOfCard } from "./cards.mjs";
import { problemsOf } from "./literals.mjs";

const [folder] = process.argv.slice(2);
const lines = (kind) => readFileSync(join(folder, `${kind}.tsv`), "utf8").split("\n").filter(Boolean);
const messages = (kind) =>
  lines(kind).map((line) => {
    const [name, language, body] = line.split("\t");
    return { name: `${kind}: ${name}, ${language}`, body: JSON.parse(body) };
  });
const problems = [];

// What an answer is made of, by kind: the types, and the part of the answer that has one.
const types = {
  slack: [
    `import type { KnownBlock } from "@slack/types";`,
    `{ response_type: "ephemeral" | "in_channel"; text: string; blocks: KnownBlock[] }`,
    (body) => body,
  ],
  mattermost: [
    `import type { MessageAttachment } from "@mattermost/types/message_attachments";`,
    `{ response_type: "ephemeral" | "in_channel"; text: string; skip_slack_parsing: true; attachments?: MessageAttachment[] }`,
    (body) => body,
  ],
  discord: [
    `import type { APIInteractionResponse } from "discord-api-types/v10";`,
    `APIInteractionResponse`,
    (body) => body,
  ],
  "google-chat": [`import type { chat_v1 } from "@googleapis/chat";`, `chat_v1.Schema$Message`, (body) => body],
  feishu: [
    `import type { InteractiveCard } from "@larksuiteoapi/node-sdk";`,
    `InteractiveCard`,
    (body) => ("content" in body ? JSON.parse(body.content) : {}),
  ],
};

const checked = {};
const groups = {};
for (const [kind, [imported, type, part]] of Object.entries(types)) {
  const all = messages(kind);
  checked[kind] = all.length;
  groups[kind] = { imported, literals: all.map(({ name, body }) => ({ name, type, json: part(body) })) };
}
problems.push(...problemsOf(groups));

checked.teams = 0;
for (const { name, body } of messages("teams")) {
  if (body.type !== "message" || body.textFormat !== "plain" || typeof body.text !== "string") problems.push(`${name}: no message`);
  for (const { contentType, content } of body.attachments ?? []) {
    if (contentType !== "application/vnd.microsoft.card.adaptive") problems.push(`${name}: ${contentType}`);
    problems.push(...problemsOfCard(name, content));
    checked.teams += 1;
  }
}

// The limits that no type has.
const limit = (name, what, text, most) => {
  if ([...(text ?? "")].length > most) problems.push(`${name}: ${what} has more than ${most} characters`);
};
for (const { name, body } of messages("slack")) {
  for (const block of body.blocks) {
    limit(name, "a header", block.type === "header" ? block.text.text : "", 150);
    limit(name, "a section", block.type === "section" ? block.text?.text : "", 3000);
    (block.fields ?? []).forEach((field) => limit(name, "a field", field.text, 2000));
    if ((block.fields ?? []).length > 10) problems.push(`${name}: more than ten fields`);
    (block.elements ?? []).filter((element) => element.type === "button").forEach((button) => limit(name, "a button", button.text.text, 75));
  }
}
for (const { name, body } of messages("discord")) {
  for (const embed of body.data?.embeds ?? []) {
    limit(name, "a title", embed.title, 256);
    limit(name, "a description", embed.description, 4096);
    embed.fields.forEach((field) => limit(name, "a field", field.value, 1024));
  }
}
console.log(JSON.stringify({ checked, problems }));
