#!/usr/bin/env node
// Asks the independent checkers in a folder about the template, the wizard, and what they come to:
//
//   node independent.mjs FOLDER

import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { basename } from "node:path";

import { writeFlat } from "./flat.mjs";
import { load, root } from "./project.mjs";
import { conclude, reasonsOf } from "./reasons.mjs";

const TOOLS = root("target/template/tools");

function run(command, ...args) {
  return spawnSync(command, args, { cwd: TOOLS, encoding: "utf8", maxBuffer: 1 << 28 });
}

/** The checkers want packages beside them; they may come from a folder that can't be written to. */
function install(folder) {
  rmSync(TOOLS, { recursive: true, force: true });
  cpSync(folder, TOOLS, { recursive: true });
  spawnSync("chmod", ["-R", "u+w", TOOLS]);
  const { status, stderr } = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
  if (status !== 0) {
    throw new Error(`the checkers can't be installed: ${stderr}`);
  }
}

/** Its errors; warnings are of no more than taste. */
function checked(file, ...more) {
  const { stdout, stderr } = run(
    process.execPath,
    "armcheck.cjs",
    "--schemas",
    "arm-schemas",
    file,
    ...more,
  );
  if (!/^.*: \d+ error\(s\), \d+ warning\(s\), [1-9]\d* resources$/m.test(stdout)) {
    throw new Error(`${file} was not checked to its end: ${stdout}${stderr}`);
  }
  return [...stdout.matchAll(/^error: (.*?): (.*)$/gm)].map(([, place, text]) => ({
    finding: text,
    text: place,
    where: basename(file),
  }));
}

install(process.argv[2]);
const files = writeFlat(load().template, root("target/template/flat"));
const findings = [
  ...checked(root("azuredeploy.json"), "--ui", root("createUiDefinition.json")),
  ...files.flatMap((file) => checked(file)),
];
conclude(`the template and ${files.length} deployments`, findings, reasonsOf("independent.json"));
