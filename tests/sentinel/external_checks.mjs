#!/usr/bin/env node
// Runs the external checkers of a folder on the workbook, the rules and the hunting queries:
//
//   node external_checks.mjs FOLDER
//
// The Python packages of the content tests must be installed.

import { readdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

import { install, run } from "../template/checkers.mjs";
import { root } from "../template/project.mjs";
import { conclude, reasonsOf } from "../template/reasons.mjs";

const SCHEMA = root("target/template/tools/content.json");

function files(folder, ending) {
  const names = readdirSync(root(folder)).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => root(`${folder}/${name}`));
}

/** Writes the workspace's tables and functions for the checkers. The tests use the same source. */
function writeSchema() {
  const { status, stdout, stderr } = run(
    root("target/sentinel/bin/python"),
    root("tests/sentinel/schema.py"),
  );
  if (status !== 0) {
    throw new Error(`schema.py failed: ${stderr}`);
  }
  writeFileSync(SCHEMA, stdout);
}

/** The findings of a checker. A line of its output says how many files it has read. */
function checked(what, checked, ...args) {
  const { stdout, stderr } = run(process.execPath, ...args, ...checked);
  if (checked.length === 0 || !new RegExp(`^${checked.length} ${what}, `, "m").test(stdout)) {
    throw new Error(`not all ${what} were checked: ${stdout}${stderr}`);
  }
  const lines = stdout.split("\n").filter((line) => /^(.*: )?(error|warning): /.test(line));
  return lines.map((line) => {
    const [, file, severity, finding] = /^(?:(.*): )?(error|warning): (.*)$/.exec(line);
    return { finding, text: severity, where: basename(file ?? checked.join()) };
  });
}

install(process.argv[2]);
writeSchema();
const workbooks = files("sentinel/workbooks", ".json");
const rules = ["analytic-rules", "hunting-queries"].flatMap((folder) =>
  files(`sentinel/${folder}`, ".yaml"),
);
const findings = [
  ...checked("workbooks", workbooks, "wbcheck.cjs", "workbook.schema.json", SCHEMA),
  ...checked("rules", rules, "rulecheck.cjs", SCHEMA),
];
conclude(
  `${workbooks.length} workbooks and ${rules.length} rules and hunting queries`,
  findings,
  reasonsOf("../sentinel/external_checks.json"),
);
