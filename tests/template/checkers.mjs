// External checkers, which are not part of the checkout.

import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";

import { root } from "./project.mjs";

const TOOLS = root("target/template/tools");

/** Runs a program in the folder of the checkers and returns its output. */
export function run(command, ...args) {
  return spawnSync(command, args, { cwd: TOOLS, encoding: "utf8", maxBuffer: 1 << 28 });
}

/** Copies the checkers, because they need packages beside them and their folder may be read-only. */
export function install(folder) {
  rmSync(TOOLS, { recursive: true, force: true });
  cpSync(folder, TOOLS, { recursive: true });
  spawnSync("chmod", ["-R", "u+w", TOOLS]);
  const { status, stderr } = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
  if (status !== 0) {
    throw new Error(`the checkers can't be installed: ${stderr}`);
  }
}
