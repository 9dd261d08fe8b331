// Holds what `setup` prints for the platforms against their own types: `setup.mjs FOLDER`, with the folders of tests/fixtures/setup.
// Prints what was checked, and what is wrong with it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { problemsOf } from "./literals.mjs";

const [folder] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(join(folder, file), "utf8"));

// What is pasted, with its type: the argument of the platform's own client for the call that it is sent with.
const types = {
  "slack/manifest.json": [
    `import type { AppsManifestCreateArguments } from "@slack/web-api";`,
    `Pick<AppsManifestCreateArguments["manifest"], "display_information" | "features" | "oauth_config" | "settings">`,
  ],
  "discord/command.json": [
    `import type { RESTPostAPIChatInputApplicationCommandsJSONBody } from "discord-api-types/v10";`,
    `RESTPostAPIChatInputApplicationCommandsJSONBody`,
  ],
  "discord/endpoint.json": [
    `import type { RESTPatchCurrentApplicationJSONBody } from "discord-api-types/v10";`,
    `RESTPatchCurrentApplicationJSONBody`,
  ],
  "github/hook.json": [
    `import type { operations } from "@octokit/openapi-types";`,
    `NonNullable<operations["orgs/create-webhook"]["requestBody"]>["content"]["application/json"]`,
  ],
  "okta/event-hook.json": [`import type { EventHook } from "@okta/okta-sdk-nodejs";`, `EventHook`],
};
const groups = {};
for (const [file, [imported, type]] of Object.entries(types)) {
  groups[file.replaceAll(/[/.]/g, "-")] = { imported, literals: [{ name: file, type, json: read(file) }] };
}
const problems = problemsOf(groups);

const expect = (what, is) => is || problems.push(what);

// The limits that Slack's types do not have: `schemas/manifest.schema.1.0.0.json` of github.com/slackapi/manifest-schema.
const manifest = read("slack/manifest.json");
const { name, description } = manifest.display_information;
expect("slack: the name has 1 to 35 characters", name.length >= 1 && name.length <= 35);
expect("slack: the description has 1 to 140 characters", description.length >= 1 && description.length <= 140);
for (const command of manifest.features.slash_commands) {
  expect("slack: a command has a slash and 2 to 32 characters", /^\/.{1,31}$/.test(command.command));
  expect("slack: the URL of a command is one, of 3000 characters", /^https?:\/\//.test(command.url) && command.url.length <= 3000);
  expect("slack: the description of a command has 2000 characters", command.description.length <= 2000);
  expect("slack: the hint of a command has 1000 characters", command.usage_hint.length <= 1000);
}
expect("slack: a command needs its scope", manifest.oauth_config.scopes.bot.includes("commands"));

// Those of Discord: "Application Command Object" of docs.discord.com.
const command = read("discord/command.json");
for (const { name, description } of [command, ...command.options]) {
  expect(`discord: ${name} is a name`, /^[-_'\p{Ll}\p{Lo}\p{M}\p{N}]{1,32}$/u.test(name));
  expect(`discord: the description of ${name} has 1 to 100 characters`, description.length >= 1 && description.length <= 100);
}
expect("discord: a command has 25 options", command.options.length <= 25);

// GitLab publishes no types. The attributes of `POST /hooks`: docs.gitlab.com/api/system_hooks; `signing_token`, `whsec_` and 32 bytes in
// base64: gitlab.com/gitlab-org/gitlab/-/merge_requests/231325.
const attributes = {
  url: "string",
  name: "string",
  description: "string",
  token: "string",
  signing_token: "string",
  push_events: "boolean",
  tag_push_events: "boolean",
  merge_requests_events: "boolean",
  repository_update_events: "boolean",
  enable_ssl_verification: "boolean",
};
const hook = read("gitlab/hook.json");
for (const [key, value] of Object.entries(hook)) {
  expect(`gitlab: ${key} is no attribute of a system hook`, typeof value === attributes[key]);
}
expect("gitlab: a hook needs its URL", hook.url);

// Okta sends only events that can be subscribed to, over a channel of this version: "Event Hooks" of developer.okta.com.
const { events, channel } = read("okta/event-hook.json");
expect("okta: the channel", channel.version === "1.0.0" && channel.config.authScheme.type === "HEADER");
expect("okta: the events", events.type === "EVENT_TYPE" && events.items.length > 0);

console.log(JSON.stringify({ checked: [...Object.keys(types), "gitlab/hook.json"], problems }));
