// The status page in a browser: what it shows in each state, with keyboard and screen reader, on a
// phone and in the dark.
//
// Needs the program (target/debug/proofpoint-sentinel, or PROGRAM). SCREENSHOTS=<folder> keeps pictures.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { KEY, start } from "./app.mjs";
import { launch } from "./browser.mjs";
import { State } from "./state.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
const LOOKS = ["light", "dark"].flatMap((colorScheme) =>
  [DESKTOP, PHONE].map((viewport) => ({ colorScheme, viewport })),
);

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

// Each state with the feeds in it, the health that it has, and what the page says.
const STATES = {
  healthy: {
    clusters: ["acme_hosted", "beta_hosted"],
    prepare: (state) => {
      state.feed("acme_hosted");
      state.feed("beta_hosted");
    },
    health: "healthy",
    says: ["Everything that is due has arrived.", "acme_hosted-message", "beta_hosted-message"],
  },
  failing: {
    clusters: ["acme_hosted", "beta_hosted"],
    prepare: (state) => {
      state.feed("acme_hosted");
      state.failing("beta_hosted");
    },
    health: "failing",
    says: ["PPS2002", "the Log API answered 401", "in 99 runs"],
  },
  backlog: {
    clusters: ["acme_hosted"],
    prepare: (state) => state.backlog("acme_hosted"),
    health: "degraded",
    says: [
      "32 hours wait to be read",
      "2 h from",
      "are lost",
      "closed with 1011",
      "1 oversize",
      "1 refused by the workspace",
    ],
  },
  tap: {
    clusters: ["acme_hosted"],
    accounts: ["emea"],
    prepare: (state) => {
      state.feed("acme_hosted");
      state.account("emea");
    },
    health: "healthy",
    says: ["Everything that is due has arrived.", "emea-tap", "336 of 1,800 calls of 24 hours"],
    looks: [LOOKS[0], LOOKS[3]],
  },
  throttled: {
    clusters: [],
    accounts: ["emea", "apac"],
    prepare: (state) => {
      state.throttled("emea");
      state.account("apac");
    },
    health: "failing",
    says: [
      "PPS2108",
      "1,290 of 1,800 calls of 24 hours are used. The next is made",
      "PPS2115",
      "2 h from",
    ],
  },
  empty: {
    clusters: ["acme_hosted"],
    prepare: () => {},
    health: "degraded",
    says: ["No run has ended yet."],
  },
  sixty: {
    clusters: Array.from({ length: 60 }, (_, index) => `cluster${index}_hosted`),
    prepare: (state) => {
      for (let index = 0; index < 60; index += 1) {
        const name = `cluster${index}_hosted`;
        if (index % 20 === 7) state.failing(name);
        else if (index % 20 === 11) state.backlog(name);
        else state.feed(name);
      }
    },
    health: "failing",
    says: ["cluster0_hosted-message", "cluster59_hosted-message"],
    looks: [LOOKS[0], LOOKS[3]],
  },
};

for (const [name, state] of Object.entries(STATES)) {
  const { clusters, accounts = [], prepare, health, says, looks = LOOKS } = state;
  test(`a browser shows the state ${name}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "page-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    prepare(new State(folder));
    const app = await start(folder, clusters, accounts);
    t.after(() => app.stop());

    const status = await (await fetch(`${app.address}/api/status.json?code=${KEY}`)).json();
    assert.equal(status.health, health, JSON.stringify(status.reasons, null, 1));
    assert.equal(status.feeds.length, clusters.length + accounts.length);

    for (const each of looks) await look(name, app, { ...each, health, says });
    assert.ok(!app.output().includes(KEY), app.output());
  });
}

async function look(name, app, { colorScheme, viewport, health, says }) {
  const context = await browser.newContext({ colorScheme, viewport });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  const address = `${app.address}/api/status?code=${KEY}`;
  await page.goto(address);

  const label = `${name} ${colorScheme} ${viewport.width}`;
  const text = await page.evaluate(() => document.body.textContent);
  for (const said of says) assert.ok(text.includes(said), `${label}: ${said} in ${text}`);
  const title = await page.title();
  assert.ok(title.toLowerCase().startsWith(health), `${label}: ${title}`);
  assert.ok(!(await page.content()).includes(KEY), label);

  // The policy of the page does not forbid its own style, and nothing else is asked for.
  assert.deepEqual(complaints, [], label);
  assert.deepEqual(requests, [address], label);
  const ink = await page.evaluate(() => getComputedStyle(document.body).color);
  assert.equal(ink, colorScheme === "light" ? "rgb(27, 31, 36)" : "rgb(230, 237, 243)", label);

  // Only tables may be wider than the window, and they scroll by themselves.
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${label}: ${wide} pixels too wide`);

  await keyboard(page, label);
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(summary), [], label);
  if (process.env.SCREENSHOTS) await picture(page, `${name}-${colorScheme}-${viewport.width}`);
  await context.close();
}

// Each feed's section opens and closes by the keyboard.
async function keyboard(page, label) {
  const summaries = await page.$$("summary");
  if (summaries.length === 0) return;
  const first = summaries[0];
  const isOpen = () => first.evaluate((it) => it.parentElement.open);
  const was = await isOpen();
  await first.focus();
  await page.keyboard.press("Enter");
  assert.equal(await isOpen(), !was, label);
  await page.keyboard.press("Enter");
  assert.equal(await isOpen(), was, label);
}

const summary = ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html)[0]}`;

async function picture(page, name) {
  await page.reload();
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}
