// The files of the repository that the checks read, in one value, so that a test can give the checks a
// broken copy.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

export function root(path) {
  return fileURLToPath(new URL(path, ROOT));
}

function read(path) {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** The sources below a folder, tests left out, as one text. */
function sources(folder) {
  return readdirSync(new URL(folder, ROOT), { recursive: true })
    .filter((name) => name.endsWith(".rs") && !name.endsWith("tests.rs"))
    .map((name) => read(`${folder}/${name}`).split("#[cfg(test)]")[0])
    .join("\n");
}

export function load() {
  const cargo = read("Cargo.toml");
  return {
    texts: {
      "azuredeploy.json": read("azuredeploy.json"),
      "createUiDefinition.json": read("createUiDefinition.json"),
    },
    template: JSON.parse(read("azuredeploy.json")),
    wizard: JSON.parse(read("createUiDefinition.json")),
    version: /^version = "(.*)"$/m.exec(cargo)[1],
    home: /^repository = "(.*)"$/m.exec(cargo)[1],
    settingsPage: read("docs/settings.md"),
    settingsSource: `${read("src/settings.rs")}\n${sources("src/settings")}`,
    functionJson: JSON.parse(read("ProofpointPOD/function.json")),
    hostJson: JSON.parse(read("host.json")),
  };
}
