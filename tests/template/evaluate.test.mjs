import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { workspaceIn } from "./variants.mjs";

const SCRIPT = fileURLToPath(new URL("evaluate.mjs", import.meta.url));

const PARAMETERS = {
  clusterId: { value: "acme_hosted" },
  proofpointToken: { value: "of-the-test" },
  workspaceResourceId: { value: workspaceIn("11111111-1111-1111-1111-111111111111") },
};

function run(args, parameters) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args, "-"], {
    input: JSON.stringify({ parameters }),
    encoding: "utf8",
  });
  return { status, stderr, json: stdout && JSON.parse(stdout) };
}

function texts(value) {
  return typeof value === "string" ? [value] : Object.values(value ?? {}).flatMap(texts);
}

test("it prints the template of a parameters file without expressions", () => {
  const { status, json } = run([], PARAMETERS);
  assert.equal(status, 0);
  assert.ok(json.resources.some(({ type }) => type === "Microsoft.Web/sites"));
  assert.deepEqual(
    texts(json).filter((text) => text.startsWith("[")),
    [],
  );
});

test("it prints the app's environment in the given cloud", () => {
  const { json } = run(["--settings", "--cloud", "usgov"], PARAMETERS);
  assert.equal(json.ProofpointToken, "of-the-test");
  assert.equal(json.ProofpointClusterID, "acme_hosted");
  assert.equal(json.AZURE_CLOUD, "usgov");
});

test("it prints the error and fails", () => {
  const { status, stderr } = run([], { ...PARAMETERS, namePrefix: { value: "" } });
  assert.equal(status, 1);
  assert.match(stderr, /the parameter namePrefix a value of length 0/);
});
