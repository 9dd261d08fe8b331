// Shows the kept pages of the console in Chromium: `console.mjs CHROMIUM FOLDER STYLESHEET [SCREENSHOTS]`. Each page is looked at in
// light and dark colours and at four widths, and held against axe-core on a phone in light and on a desktop in dark colours (with ALL
// set, everywhere); nothing may be wider than the window, and nothing may be against the content security policy that the gateway
// sends. Prints what was looked at, and what is wrong.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [executablePath, folder, stylesheet, screenshots] = process.argv.slice(2);
const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const widths = [360, 768, 1280, 1600];
// axe-core takes a second a page: both colours and both shapes of the page are enough, unless all are asked for.
const { ALL, ONLY: only } = process.env;
const looks = [
  ...widths.map((width) => ({ width, colorScheme: "light", isHeld: ALL || width === 360 })),
  ...[360, 1280].map((width) => ({ width, colorScheme: "dark", isHeld: ALL || width === 1280 })),
];
const pages = readdirSync(folder).filter((name) => name.endsWith(".html") && (!only || name.startsWith(only)));
const profile = mkdtempSync(join(tmpdir(), "console-"));
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
];
const problems = [];
let runs = 0;

// The host does not exist: every request is answered here, so that the pages have the paths and headers that the gateway gives them.
const answer = (route) => {
  const { pathname } = new URL(route.request().url());
  if (pathname.endsWith(".css")) return route.fulfill({ contentType: "text/css", body: readFileSync(stylesheet) });
  if (pathname.endsWith(".svg")) return route.fulfill({ contentType: "image/svg+xml", body: "<svg xmlns='http://www.w3.org/2000/svg'/>" });
  const name = pathname.slice(1);
  if (!pages.includes(name)) return route.fulfill({ status: 404, body: "" });
  const headers = { "content-security-policy": policy, "content-type": "text/html; charset=utf-8" };
  return route.fulfill({ headers, body: readFileSync(join(folder, name)) });
};

const wider = () => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  const elements = [...document.body.querySelectorAll("*")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > limit + 1;
  });
  return [`${document.documentElement.scrollWidth} pixels: ${elements.slice(0, 5).map((element) => element.outerHTML.slice(0, 100)).join(" … ")}`];
};

const small = () =>
  [...document.querySelectorAll("a.btn, button:not([hidden]), select, input:not([type=hidden]):not([type=radio]):not([type=checkbox])")]
    .filter((element) => !element.matches(".plain") && element.getBoundingClientRect().height < 43.5)
    .map((element) => element.outerHTML.slice(0, 100));

const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args });
try {
  await context.route("**/*", answer);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
  for (const name of pages) {
    await page.goto(`http://console.test/${name}`);
    // Everything is looked at, also what is closed.
    await page.evaluate(axe.source);
    for (const { width, colorScheme, isHeld } of looks) {
      const what = `${name}, ${colorScheme}, ${width} pixels`;
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { violations } = isHeld ? await page.evaluate(() => globalThis.axe.run()) : { violations: [] };
      for (const { id, nodes } of violations) problems.push(`${what}: ${id}: ${nodes.map((node) => node.html).join(" … ").slice(0, 400)}`);
      for (const element of await page.evaluate(wider)) problems.push(`${what}: wider than the window: ${element}`);
      if (width === 360) for (const element of await page.evaluate(small)) problems.push(`${what}: lower than 44 pixels: ${element}`);
      if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.${colorScheme}.${width}.png`), fullPage: true });
      runs += 1;
    }
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify({ pages: pages.length, runs, problems }));
