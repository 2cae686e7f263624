#!/usr/bin/env node
// Runs checkov to find security policies that the template violates, and secrets in it:
//
//   node policies.mjs CHECKOV

import { spawnSync } from "node:child_process";

import { writeFlat } from "./flat.mjs";
import { load, root } from "./project.mjs";
import { conclude, reasonsOf } from "./reasons.mjs";

const FOLDER = root("target/template/policies");

function checked(checkov) {
  const run = spawnSync(
    checkov,
    [
      "--directory",
      FOLDER,
      "--framework",
      "arm",
      "secrets",
      "--skip-download",
      "--quiet",
      "--compact",
      "--soft-fail",
      "--output",
      "json",
    ],
    { encoding: "utf8", maxBuffer: 1 << 28 },
  );
  if (run.status !== 0) {
    throw new Error(`checkov failed: ${run.error ?? run.stderr}`);
  }
  return [JSON.parse(run.stdout)].flat();
}

const files = writeFlat(load().template, FOLDER);
const reports = checked(process.argv[2]);
const total = reports
  .map(({ summary }) => summary)
  .reduce(
    (sum, { passed, parsing_errors: unread }) => ({
      passed: sum.passed + passed,
      unread: sum.unread + unread,
    }),
    { passed: 0, unread: 0 },
  );
if (total.passed < 10 * files.length || total.unread > 0) {
  throw new Error(`checkov read too little: ${JSON.stringify(total)}`);
}
const findings = reports
  .flatMap(({ results }) => results.failed_checks)
  .map((failed) => ({
    finding: `${failed.check_id} ${failed.resource.slice(0, failed.resource.lastIndexOf("."))}`,
    text: failed.check_name,
    where: failed.file_path,
  }));
conclude(
  `checkov on ${files.length} deployments, ${total.passed} checks passed`,
  findings,
  reasonsOf("policies.json"),
);
