#!/usr/bin/env node
// Runs the external checkers of a folder on the template, the wizard and evaluated deployments:
//
//   node external_checks.mjs FOLDER

import { basename } from "node:path";

import { install, run } from "./checkers.mjs";
import { writeFlat } from "./flat.mjs";
import { load, root } from "./project.mjs";
import { conclude, reasonsOf } from "./reasons.mjs";

/** Only the errors, because warnings are matters of taste. */
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
conclude(
  `the template and ${files.length} deployments`,
  findings,
  reasonsOf("external_checks.json"),
);
