// The snippets of docs/deploy-by-hand.md for Bicep and Terraform, and what docs/deploy.md says about
// what-if, agree with the template. Neither tool is run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { faultOf } from "./parameters.mjs";
import { load, root } from "./project.mjs";
import { refusalOf, workspaceIn } from "./variants.mjs";

const { template } = load();
const page = readFileSync(root("docs/deploy-by-hand.md"), "utf8");

function snippet(language) {
  const found = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))];
  assert.equal(found.length, 1, `${language} has one snippet`);
  return found[0][1];
}

/** What the snippets leave to their surroundings. */
const GIVEN = {
  workspaceResourceId: workspaceIn("11111111-1111-1111-1111-111111111111"),
  proofpointToken: "a-token",
};

/** The parameters of a block, as `{name: value}`; `line` finds the name and the value in a line. */
function parametersIn(block, line) {
  const entries = [...block.matchAll(line)].map(([, name, literal]) => [
    name,
    literal === undefined ? GIVEN[name] : literal,
  ]);
  assert.equal(entries.length, block.trim().split("\n").length, "each line is a parameter");
  return Object.fromEntries(entries);
}

const SNIPPETS = {
  bicep: (text) =>
    parametersIn(
      /^ {2}params: \{\n(.*?)^ {2}\}$/ms.exec(text)[1],
      /^ +(\w+): (?:'([^']*)'|\w+)$/gm,
    ),
  terraform: (text) =>
    parametersIn(
      /jsonencode\(\{\n(.*?)^ +\}\)$/ms.exec(text)[1],
      /^ +(\w+) += \{ value = (?:"([^"]*)"|[\w.]+) \}$/gm,
    ),
};

for (const [language, read] of Object.entries(SNIPPETS)) {
  test(`the snippet for ${language} gives parameters that the template takes`, () => {
    const given = read(snippet(language));
    for (const [name, value] of Object.entries(given)) {
      assert.ok(template.parameters[name], `${name} is no parameter`);
      assert.equal(faultOf(value, template.parameters[name]), undefined, name);
    }
    const required = Object.entries(template.parameters)
      .filter(([, declared]) => !("defaultValue" in declared))
      .map(([name]) => name);
    assert.deepEqual(
      required.filter((name) => !(name in given)),
      [],
    );
    assert.equal(refusalOf(template, given), undefined);
  });

  test(`the snippet for ${language} deploys azuredeploy.json and no token in clear`, () => {
    const text = snippet(language);
    assert.match(text, /azuredeploy\.json/);
    assert.match(
      text,
      language === "bicep" ? /@secure\(\)\nparam proofpointToken / : /sensitive = true/,
    );
    assert.doesNotMatch(text, /proofpointToken\W+(value = )?['"]/);
  });
}

test("the snippet for bicep uses outputs that the template has", () => {
  const used = [...snippet("bicep").matchAll(/proofpoint\.outputs\.(\w+)/g)].map(
    ([, name]) => name,
  );
  assert.ok(used.length > 0);
  assert.deepEqual(
    used.filter((name) => !template.outputs[name]),
    [],
  );
});

test("Terraform keeps tables and state when the resource is removed", () => {
  assert.match(snippet("terraform"), /delete_nested_items_during_deletion = false/);
  assert.match(snippet("terraform"), /deployment_mode += "Incremental"/);
});

test("what-if leaves out the deployments that docs/deploy.md names", () => {
  const deployments = template.resources.filter(
    ({ type }) => type === "Microsoft.Resources/deployments",
  );
  const late = deployments.filter(namesAreLate).map(prefixOf);
  const text = readFileSync(root("docs/deploy.md"), "utf8");
  const paragraph = /`NestedDeploymentShortCircuited`.*?\n\n/s.exec(text)[0];
  const named = [...paragraph.matchAll(/`([\w-]+)-…`/g)].map(([, name]) => name);
  assert.deepEqual(named.sort(), late.sort());
  assert.ok(late.length < deployments.length);
});

/** Whether an id in a nested deployment depends on a value that only `reference()` knows. */
function namesAreLate({ properties: { parameters = {}, template: inner } }) {
  const ids = inner.resources.map(({ name, scope, condition }) => [name, scope, condition]);
  return Object.entries(parameters)
    .filter(([, { value }]) => /\breference\(/.test(value))
    .some(([name]) => JSON.stringify(ids).includes(`parameters('${name}')`));
}

/** What the name of a nested deployment begins with. */
function prefixOf({ name }) {
  const variable = /variables\('(\w+)'\)/.exec(name)[1];
  return /concat\('([\w-]+)-'/.exec(template.variables[variable])[1];
}
