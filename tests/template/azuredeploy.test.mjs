import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { evaluated, OF_DEPLOYMENTS, OF_FILES, OF_WIZARD } from "./checks/all.mjs";
import { nameFindings } from "./checks/names.mjs";
import { markerFindings } from "./checks/secrets.mjs";
import { documented } from "./checks/settings.mjs";
import { load } from "./project.mjs";
import { evaluateVariant, matrix, singles } from "./variants.mjs";
import { elements } from "./wizard.mjs";

const project = load();
const { template } = project;
const variants = [...matrix(), ...singles(template)];

/** Fails with every finding and the first deployment that shows it. */
function assertNone(findings) {
  const first = new Map(findings.map(([finding, name]) => [finding, name]).reverse());
  const lines = [...first]
    .reverse()
    .map(([finding, name]) => (name ? `${finding} (${name})` : finding));
  assert.equal(lines.length, 0, `\n${lines.join("\n")}\n`);
}

for (const [what, check] of Object.entries({ ...OF_FILES, ...OF_WIZARD })) {
  test(what, () => assertNone(check(project).map((finding) => [finding])));
}

test("docs/settings.md documents the settings that the program reads", () => {
  assertNone(documented(project).findings.map((finding) => [finding]));
});

test("every secure parameter has a marker secret", () => {
  assertNone(markerFindings({ template, variants }).map((finding) => [finding]));
});

const results = variants.map((variant) => ({ variant, ...evaluated(template, variant) }));

test(`${variants.length} deployments evaluate`, () => {
  assertNone(
    results.filter(({ failure }) => failure).map(({ failure, variant }) => [failure, variant.name]),
  );
});

for (const [what, check] of Object.entries(OF_DEPLOYMENTS)) {
  test(what, () => {
    const there = results.filter(({ deployed }) => deployed);
    assert.ok(there.length > 0, "no deployment evaluates");
    assertNone(
      there.flatMap(({ variant, deployed }) =>
        check({ project, template, variant, deployed }).map((finding) => [finding, variant.name]),
      ),
    );
  });
}

test("names are valid for every accepted prefix and resource group", () => {
  const [first] = singles(template);
  const { constraints } = elements(project.wizard).find(
    ({ element }) => element.name === "namePrefix",
  ).element;
  const namePrefix = fc.stringMatching(new RegExp(constraints.regex));
  const group = fc.stringMatching(/^[A-Za-z0-9_.()-]{0,89}[A-Za-z0-9_()-]$/);
  fc.assert(
    fc.property(namePrefix, group, (prefix, name) => {
      const variant = { ...first, parameters: { ...first.parameters, namePrefix: prefix } };
      assertNone(
        nameFindings({ deployed: evaluateVariant(template, variant, name) }).map((finding) => [
          finding,
        ]),
      );
    }),
    { numRuns: 100 },
  );
});

test("another prefix or resource group makes another installation", () => {
  const [first] = singles(template);
  const ids = (parameters, group) =>
    evaluateVariant(
      template,
      { ...first, parameters: { ...first.parameters, ...parameters } },
      group,
    )
      .instances.filter(
        ({ type }) =>
          /^Microsoft\.(Storage|KeyVault|Web|Insights)\/[^/]+$|roleAssignments$/i.test(type) &&
          // A workspace has one workbook, even with several installations.
          !/(diagnosticSettings|workbooks)$/i.test(type),
      )
      .map(({ type, name }) => `${type} ${name}`);
  const base = ids({}, "proofpoint");
  for (const other of [ids({ namePrefix: "other" }, "proofpoint"), ids({}, "elsewhere")]) {
    assert.deepEqual(
      base.filter((name) => other.includes(name)),
      [],
    );
  }
  assert.deepEqual(base, ids({}, "proofpoint"), "the same installation is deployed again");
});
