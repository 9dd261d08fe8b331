// Sends a webhook that the vendor's own package signs: `send.mjs octokit URL SECRET BODY`, `send.mjs standardwebhooks URL SECRET BODY ID`.
// Prints the status and the body that came back.
import { sign, verify } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";

const [kind, url, secret, body, id] = process.argv.slice(2);
const headers = { "content-type": "application/json" };
if (kind === "octokit") {
  headers["x-github-event"] = "organization";
  headers["x-hub-signature-256"] = await sign(secret, body);
  if (!(await verify(secret, body, headers["x-hub-signature-256"]))) throw new Error("it does not take its own signature");
} else {
  const now = new Date();
  headers["webhook-id"] = id;
  headers["webhook-timestamp"] = String(Math.floor(now.getTime() / 1000));
  headers["webhook-signature"] = new Webhook(secret).sign(id, now, body);
}
const answer = await fetch(url, { method: "POST", headers, body });
console.log(JSON.stringify({ status: answer.status, body: await answer.json() }));
