// Columns that a customer added to the tables, which a deployment would otherwise delete.

import assert from "node:assert/strict";
import { test } from "node:test";

import { findingsOfDeployments } from "./checks/all.mjs";
import { load } from "./project.mjs";
import { evaluateVariant, singles } from "./variants.mjs";
import { deployedOf, streams, tables } from "./view.mjs";

const project = load();
const { template } = project;
const [first] = singles(template);

function withColumns(additionalColumns) {
  const variant = { ...first, parameters: { ...first.parameters, additionalColumns } };
  assert.deepEqual(findingsOfDeployments(project, [variant]), []);
  return evaluateVariant(template, variant);
}

const plain = evaluateVariant(template, first);
const MESSAGES = "ProofpointPODMessage_CL";
const DEPARTMENT = { name: "Department", type: "string", description: "From our directory" };

function schemaOf(deployed, table) {
  const found = deployedOf(deployed.instances, "Microsoft.OperationalInsights/workspaces/tables");
  return found.find(({ name }) => name.endsWith(`/${table}`)).body.properties.schema.columns;
}

test("own columns stay in their table, with their description", () => {
  const deployed = withColumns({ [MESSAGES]: [DEPARTMENT] });
  assert.deepEqual(schemaOf(deployed, MESSAGES), [...schemaOf(plain, MESSAGES), DEPARTMENT]);
  const { [MESSAGES]: _own, ...others } = tables(deployed);
  const { [MESSAGES]: _plain, ...before } = tables(plain);
  assert.deepEqual(others, before);
});

test("own columns are not in the streams, which declare what is sent", () => {
  const deployed = withColumns({ [MESSAGES]: [DEPARTMENT], ProofpointPODAudit_CL: [DEPARTMENT] });
  assert.deepEqual(streams(deployed), streams(plain));
});

test("a column of the connector can't be replaced", () => {
  const deployed = withColumns({ [MESSAGES]: [{ name: "guid", type: "dynamic" }, DEPARTMENT] });
  assert.deepEqual(schemaOf(deployed, MESSAGES), [...schemaOf(plain, MESSAGES), DEPARTMENT]);
});

test("a name in other letter case is another column", () => {
  const other = { name: "Guid", type: "string" };
  const deployed = withColumns({ [MESSAGES]: [other] });
  assert.deepEqual(schemaOf(deployed, MESSAGES), [...schemaOf(plain, MESSAGES), other]);
});

test("each table can have columns of its own", () => {
  const names = Object.keys(tables(plain));
  assert.equal(names.length, 4);
  const added = Object.fromEntries(
    names.map((name) => [name, [{ name: `In${name}`, type: "int" }]]),
  );
  const deployed = withColumns(added);
  for (const name of names) {
    assert.deepEqual(tables(deployed)[name], { ...tables(plain)[name], [`In${name}`]: "int" });
  }
});
