// Slack Bolt for JavaScript as its documentation has it for production: the HTTP receiver, a worker for each core.
// Proof by Bolt, then the DELETE. No policy, and no ledger unless DATABASE names the file of one.
import cluster from "node:cluster";
import bolt from "@slack/bolt";

const { PORT, UPSTREAM, SIGNING_SECRET, DATABASE, WORKERS = "2" } = process.env;

// Before the fork, so that the primary has made the table when the workers open the file.
const ledger = DATABASE ? await import("./bolt_sqlite.mjs") : undefined;

if (cluster.isPrimary) {
  for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork();
} else {
  const app = new bolt.App({
    signingSecret: SIGNING_SECRET,
    endpoints: "/hooks/slack",
    // Instead of a token, which Bolt would ask Slack about.
    authorize: async () => ({ botToken: "xoxb-none", botId: "B0", botUserId: "U0" }),
    logLevel: "error",
  });
  app.command("/offboard", async ({ command, ack }) => {
    const [userName, instance] = command.text.split(" ");
    const claim = ledger?.claim(command.trigger_id, userName, instance);
    if (claim === null) return ack(`already asked for: ${userName} on ${instance}`);
    // The fetch of Node.js keeps its connections.
    const answer = await fetch(
      `${UPSTREAM}/v3/project/instances/${encodeURIComponent(instance)}/starrocks/users?user_name=${encodeURIComponent(userName)}`,
      { method: "DELETE", headers: { "content-type": "application/json" } },
    );
    const { result } = await answer.json();
    const removed = result === "SUCCESS";
    ledger?.finish(claim, removed ? "removed" : "failed", answer.status);
    await ack(removed ? `Removed ${userName} on ${instance}` : `failed: ${answer.status}`);
  });
  await app.start({ port: Number(PORT), host: "127.0.0.1" });
}
