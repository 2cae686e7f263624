// The steps of docs/deploy-by-hand.md for tables and rule make what the template makes. They run in a
// shell, with a stand-in for az that notes its arguments.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { load, root } from "./project.mjs";
import { evaluateVariant, singles } from "./variants.mjs";
import { streams, tables } from "./view.mjs";

const { template } = load();
const page = readFileSync(root("docs/deploy-by-hand.md"), "utf8");

/** The commands of a chapter. */
function commands(chapter) {
  const text = page.split(`\n## ${chapter}\n`)[1].split("\n## ")[0];
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, found]) => found).join("");
}

const AZ = `#!/bin/sh
printf '%s\\n' "$*" >> calls
`;

/** What the steps ask of az, and the rule that they write. */
function done() {
  const folder = mkdtempSync(join(tmpdir(), "by-hand-"));
  try {
    writeFileSync(join(folder, "az"), AZ, { mode: 0o755 });
    const script = commands("1. Tables") + commands("2. Data collection rule");
    execFileSync("sh", ["-eu", "-c", script], {
      cwd: folder,
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        GROUP: "proofpoint",
        LOCATION: "westeurope",
        WORKSPACE: "soc",
        WORKSPACE_GROUP: "security",
        WORKSPACE_ID: "/subscriptions/1/workspaces/soc",
      },
    });
    const read = (name) => readFileSync(join(folder, name), "utf8");
    return { calls: read("calls").trim().split("\n"), rule: JSON.parse(read("rule.json")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { calls, rule } = done();
const full = singles(template).find(({ parameters }) => parameters.tapServicePrincipal);
const deployed = evaluateVariant(template, full);

/** `name=type` of each column. */
const columnsOf = (columns) =>
  Object.entries(columns).map(([name, type]) => `${name}=${type.toLowerCase()}`);

test("the tables have the template's columns", () => {
  const made = calls
    .filter((call) => call.includes(" table create "))
    .map((call) => /--name (\S+) --columns (.*)$/.exec(call).slice(1));
  assert.deepEqual(
    Object.fromEntries(made.map(([name, columns]) => [name, columns.split(" ").sort()])),
    Object.fromEntries(
      Object.entries(tables(deployed)).map(([name, columns]) => [name, columnsOf(columns).sort()]),
    ),
  );
});

test("the rule has the template's streams, each into its table", () => {
  const declared = Object.entries(rule.properties.streamDeclarations);
  assert.deepEqual(
    Object.fromEntries(
      declared.map(([name, { columns }]) => [
        name,
        columns.map((column) => `${column.name}=${column.type}`).sort(),
      ]),
    ),
    Object.fromEntries(
      Object.entries(streams(deployed)).map(([name, columns]) => [name, columnsOf(columns).sort()]),
    ),
  );
  assert.deepEqual(
    rule.properties.dataFlows.map(({ streams: [stream], outputStream }) => [stream, outputStream]),
    declared.map(([name]) => [name, name]),
  );
  assert.equal(rule.kind, "Direct");
  assert.equal(rule.location, "westeurope");
  const [{ workspaceResourceId }] = rule.properties.destinations.logAnalytics;
  assert.equal(workspaceResourceId, "/subscriptions/1/workspaces/soc");
});
