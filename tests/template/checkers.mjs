// Independent checkers, which are no part of the checkout.

import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";

import { root } from "./project.mjs";

const TOOLS = root("target/template/tools");

/** What a program says that runs beside the checkers. */
export function run(command, ...args) {
  return spawnSync(command, args, { cwd: TOOLS, encoding: "utf8", maxBuffer: 1 << 28 });
}

/** The checkers want packages beside them; they may come from a folder that can't be written to. */
export function install(folder) {
  rmSync(TOOLS, { recursive: true, force: true });
  cpSync(folder, TOOLS, { recursive: true });
  spawnSync("chmod", ["-R", "u+w", TOOLS]);
  const { status, stderr } = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
  if (status !== 0) {
    throw new Error(`the checkers can't be installed: ${stderr}`);
  }
}
