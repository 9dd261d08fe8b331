// The console in Chromium, as two people and an attacker use it: `journey.mjs CHROMIUM CONSOLE PORT [SCREENSHOTS]`. CONSOLE is the
// origin that the gateway calls its own, PORT where it really listens. Dana has no scripts, Priya has; both sign in at the provider,
// Dana asks for an account of `warehouse`, Priya approves. A line `expire` on the standard output waits for a line on the standard
// input, before which the gateway's time goes on. The last line is JSON: what was seen, and what is wrong.
import { createInterface } from "node:readline";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [executablePath, console_, port, screenshots] = process.argv.slice(2);
const { host } = new URL(console_);
const args = [
  "--no-sandbox",
  "--disable-gpu",
  // Containers have little shared memory.
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--host-resolver-rules=MAP ${host} 127.0.0.1:${port}`,
];
const problems = [];
const seen = {};
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await chromium.launch({ executablePath, headless: true, args });

const expect = (what, is) => {
  if (!is) problems.push(what);
};
const status = async (answer) => (await answer).status();
const text = (page, selector) => page.locator(selector).first().innerText();

/** A browser of a person who signs in and is led to `path`. */
const signedIn = async (name, path, options) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US", ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    const is = ["error", "warning"].includes(message.type()) && !/40[134] \(/.test(message.text());
    if (is) problems.push(`${name} at ${page.url()}: ${message.text()}`);
  });
  expect(`${name} has to sign in`, (await status(page.goto(`${console_}${path}`))) === 401);
  await page.locator("a.btn.primary").click();
  await page.getByRole("button", { name, exact: true }).click();
  expect(`${name} is led back`, page.url() === `${console_}${path}`);
  return page;
};

/** A page of another site with this in it; the site has no server. */
const elsewhere = async (context, html) => {
  const page = await context.newPage();
  await page.route("http://evil.test/**", (route) => route.fulfill({ contentType: "text/html", body: html }));
  await page.goto("http://evil.test/");
  return page;
};

/** Looks at a page in both languages, both colours, on a phone and on a desktop. */
const look = async (page, name, path) => {
  for (const language of ["en-us", "zh-cn"]) {
    const sign = path.includes("?") ? "&" : "?";
    const answer = await page.goto(`${console_}${path}${sign}lang=${language}`);
    expect(`${name} in ${language}: ${answer.status()}`, answer.status() === 200);
    expect(`${name} in ${language} says so`, (await page.locator("html").getAttribute("lang")).toLowerCase().startsWith(language.slice(0, 2)));
    const bytes = (await answer.body()).length;
    seen.largest = Math.max(seen.largest ?? 0, bytes);
    await page.evaluate(axe.source);
    for (const width of [360, 1440])
      for (const colorScheme of ["light", "dark"]) {
        const what = `${name}, ${language}, ${colorScheme}, ${width} pixels`;
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const scrolls = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
        expect(`${what}: wider than the window`, !scrolls);
        const isHeld = (width === 360) === (colorScheme === "dark");
        const { violations } = isHeld ? await page.evaluate(() => globalThis.axe.run()) : { violations: [] };
        for (const { id, nodes } of violations) problems.push(`${what}: ${id}: ${nodes.map((node) => node.html).join(" … ").slice(0, 300)}`);
        if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.${language}.${colorScheme}.${width}.png`), fullPage: true });
        seen.looks = (seen.looks ?? 0) + 1;
      }
  }
};

try {
  // Dana, without scripts, asks for an account on production.
  const dana = await signedIn("Dana", "/console", { javaScriptEnabled: false });
  const cookies = await dana.context().cookies(console_);
  seen.cookies = cookies.map(({ name, httpOnly, secure, sameSite }) => [name, httpOnly, secure, sameSite]);
  await dana.getByRole("link", { name: "Ask", exact: true }).click();
  await dana.locator("a.tile", { hasText: "warehouse" }).click();
  await dana.locator("input[name=user_name][value=alice]").check();
  await dana.locator("[name=reason]").fill("left the company <b>");
  await dana.locator("button[value=check]").click();
  seen.would = await text(dana, "#w");
  await dana.locator("button[value=send]").click();
  seen.asked = await text(dana, "[role=status]");

  // Priya has it before her, on a phone.
  const priya = await signedIn("Priya", "/console", { viewport: { width: 360, height: 800 } });
  seen.toDecide = await text(priya, "article");
  const form = priya.locator("form.decide");
  const action = await form.getAttribute("action");
  const token = await form.locator("[name=token]").inputValue();

  // Another site: with her cookie, even with a token that it cannot have; and in a frame.
  const forged = `<form method="post" action="${console_}${action}"><input name="token" value="${token}"><input name="decision" value="approve"><button>go</button></form>`;
  const evil = await elsewhere(priya.context(), forged);
  const [answer] = await Promise.all([evil.waitForResponse((answer) => answer.request().method() === "POST"), evil.click("button")]);
  seen.forged = [answer.status(), await answer.headerValue("x-offboard-code")];
  const framing = await elsewhere(priya.context(), `<iframe src="${console_}/console"></iframe>`);
  const [, frame] = framing.frames();
  seen.framed = frame.url().startsWith("chrome-error:") ? "nothing" : await frame.content();
  // Dana is not the one to approve: not with Priya's form, nor with what her own page has.
  seen.own = await dana.locator("form.decide button[value=approve]").count();

  await priya.locator("button[value=approve]").click();
  seen.approved = await text(priya, "[role=status]");
  // The form once more, as from a page in another tab.
  const [again] = await Promise.all([
    priya.waitForResponse((answer) => answer.request().method() === "POST"),
    priya.evaluate(
      ([action, token]) => {
        const form = Object.assign(document.createElement("form"), { method: "post", action });
        for (const [name, value] of [["token", token], ["decision", "approve"]]) {
          form.append(Object.assign(document.createElement("input"), { name, value }));
        }
        document.body.append(form);
        form.submit();
      },
      [action, token],
    ),
  ]);
  seen.again = [again.status(), await again.headerValue("x-offboard-code")];

  await dana.goto(`${console_}/console/removals`);
  await dana.locator("tr", { hasText: "Removed" }).locator("a[href^='/console/removals/']").first().click();
  seen.record = await text(dana, "main");
  const record = new URL(dana.url()).pathname;
  // `response` of a download is none that a page has.
  const [csv] = await Promise.all([dana.waitForEvent("download"), dana.goto(`${console_}/console/removals.csv`).catch(() => null)]);
  seen.csv = csv.suggestedFilename();

  // Every page, with something on it.
  const pages = {
    waiting: "/console",
    ask: "/console/ask?instance=warehouse",
    removals: "/console/removals",
    removal: record,
    accounts: "/console/accounts?instance=warehouse",
    policy: "/console/policy",
  };
  for (const [name, path] of Object.entries(pages)) await look(priya, name, path);

  // A form that was open when the session ended.
  await dana.goto(`${console_}/console/ask?instance=analytics`);
  await dana.locator("input[name=user_name][value=bob]").check();
  console.log("expire");
  await input.next();
  const [over] = await Promise.all([
    dana.waitForResponse((answer) => answer.request().method() === "POST"),
    dana.locator("button[value=check]").click(),
  ]);
  seen.over = [over.status(), await over.headerValue("x-offboard-code")];
  seen.afterwards = await status(dana.goto(`${console_}/console`));
} catch (error) {
  problems.push(String(error.stack ?? error));
  for (const context of browser.contexts()) for (const page of context.pages()) problems.push(`${page.url()}: ${(await page.locator("body").innerText().catch(() => "")).slice(0, 600)}`);
} finally {
  await browser.close();
}
console.log(JSON.stringify({ seen, problems }));
process.exit();
