// Deployments as files without expressions, for checkers that cannot evaluate them.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";

import { evaluateVariant, matrix } from "./variants.mjs";
import { flatTemplate } from "./view.mjs";

/** One value for each choice that does not change the set of resources. */
const SAME = { cloud: "public", proxy: "direct", sources: "with TAP", deployment: "first" };

/** Empties `folder`, writes the files into it, and returns their names. */
export function writeFlat(template, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const variants = matrix().filter(({ names }) =>
    Object.entries(SAME).every(([choice, name]) => names[choice] === name),
  );
  return variants.map((variant) => {
    const file = `${folder}/${Object.values(variant.names).join(".")}.json`;
    writeFileSync(file, JSON.stringify(flatTemplate(evaluateVariant(template, variant)), null, 2));
    return file;
  });
}
