// Names that are made of other names stay the same however a deployment spells those, and stay those
// of release 0.1.0: Azure refuses a second assignment of a role under another name.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CLOUDS } from "./azure.mjs";
import { evaluate, parse } from "./expression.mjs";
import { FUNCTIONS } from "./functions.mjs";
import { load } from "./project.mjs";
import { deploy } from "./template.mjs";
import { deployedOf } from "./view.mjs";

const { template } = load();
const APPS = "/subscriptions/aaaaaaaa-1111-1111-1111-111111111111";
const LOGS = "/subscriptions/bbbbbbbb-2222-2222-2222-222222222222";
const GROUPS = [`${APPS}/resourceGroups/SOC-Proofpoint`, `${LOGS}/resourceGroups/rg-Sentinel`];
const WORKSPACE = `${GROUPS[1]}/providers/Microsoft.OperationalInsights/workspaces/LAW-Soc`;
const ROLES = "Microsoft.Authorization/roleAssignments";
const WORKBOOKS = "Microsoft.Insights/workbooks";

function deployed(spelled = {}) {
  const { workspace = WORKSPACE, group = "SOC-Proofpoint" } = spelled;
  return deploy(
    template,
    { clusterId: "acme_hosted", proofpointToken: "t0ken", workspaceResourceId: workspace },
    {
      cloud: CLOUDS.public,
      tenantId: "00000000-0000-0000-0000-00000000000a",
      subscriptionId: APPS.split("/")[2],
      group,
      existing: [WORKSPACE],
      groups: GROUPS,
    },
  ).instances;
}

const namesOf = (instances) => instances.map(({ type, name }) => `${type} ${name}`.toLowerCase());
const kept = deployed();

/** The GUID that Azure makes of the texts. */
function guid(...parts) {
  const call = parse(`[guid(${parts.map((part) => `'${part}'`).join(", ")})]`);
  return evaluate(call, { find: (name) => FUNCTIONS[name] });
}

for (const [what, spelled] of Object.entries({
  "the workspace in capitals": { workspace: WORKSPACE.toUpperCase() },
  "the workspace in small letters": { workspace: WORKSPACE.toLowerCase() },
  "the resource group in capitals": { group: "SOC-PROOFPOINT" },
  "the resource group in small letters": { group: "soc-proofpoint" },
})) {
  test(`names stay the same with ${what}`, () => {
    assert.deepEqual(namesOf(deployed(spelled)).sort(), namesOf(kept).sort());
  });
}

test("role assignments have the names of release 0.1.0", () => {
  const assignments = deployedOf(kept, ROLES);
  assert.equal(assignments.length, 6);
  for (const each of assignments) {
    const { principalId, roleDefinitionId } = each.body.properties;
    const rule = /dataCollectionRules/.test(each.within());
    const place = rule ? [each.within()] : [GROUPS[0], each.within().split("/providers/")[1]];
    assert.equal(each.name, guid(...place, principalId, roleDefinitionId), each.pointer);
  }
});

test("a workspace has one workbook, named after its id in small letters", () => {
  const [book] = deployedOf(kept, WORKBOOKS);
  assert.equal(book.name, guid(WORKSPACE.toLowerCase(), book.body.properties.displayName));
});
