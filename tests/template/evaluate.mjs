#!/usr/bin/env node
// Prints the result of a deployment of azuredeploy.json:
//
//   node evaluate.mjs [--cloud public|usgov|china] [--settings] [PARAMETERS]
//   node evaluate.mjs --all
//
// PARAMETERS is a parameters file, or `-` for standard input. Values can be plain or `{"value": ...}`.
// With --settings it prints the Function App's environment instead of the template, with Key Vault
// references resolved. With --all it prints the cloud, the environment, the tables and the streams of
// every deployment that the tests evaluate.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { root } from "./project.mjs";
import { evaluateVariant, matrix, singles } from "./variants.mjs";
import { environmentOf, flatTemplate, streams, tables } from "./view.mjs";

function parametersOf(file) {
  const json = JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  const entries = Object.entries(json.parameters ?? json);
  return Object.fromEntries(
    entries.map(([name, given]) => [name, given?.value === undefined ? given : given.value]),
  );
}

const {
  values: options,
  positionals: [file],
} = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: "boolean", default: false },
    cloud: { type: "string", default: "public" },
    settings: { type: "boolean", default: false },
  },
});
const template = JSON.parse(readFileSync(root("azuredeploy.json"), "utf8"));

function one() {
  const deployed = evaluateVariant(template, {
    parameters: file ? parametersOf(file) : {},
    cloud: options.cloud,
  });
  return options.settings ? environmentOf(deployed, {}) : flatTemplate(deployed);
}

function all() {
  return [...matrix(), ...singles(template)].map((variant) => {
    const deployed = evaluateVariant(template, variant);
    const { name, names, cloud, vault } = variant;
    return {
      name,
      names,
      cloud,
      environment: environmentOf(deployed, vault),
      tables: tables(deployed),
      streams: streams(deployed),
    };
  });
}

try {
  console.log(JSON.stringify(options.all ? all() : one(), null, 2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
