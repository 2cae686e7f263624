// What the template refuses before it deploys anything, with a sentence that names the parameter, and
// that the form refuses the same.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LEAST_ANSWERS } from "./checks/wizard.mjs";
import { load } from "./project.mjs";
import { evaluateVariant, refusalOf, SUBNET, singles } from "./variants.mjs";
import { deployedOf } from "./view.mjs";
import { outputs, Refused } from "./wizard.mjs";

const { template, wizard } = load();
const [first] = singles(template);

function refusal(parameters) {
  return refusalOf(template, { ...first.parameters, ...parameters });
}

const clusters = (...list) => ({ additionalClusters: { clusters: list } });
const named = (...names) => clusters(...names.map((name) => ({ name, clusterId: `id-${name}` })));
const own = (...columns) => ({ additionalColumns: { ProofpointPODAudit_CL: columns } });

const REFUSED = {
  "a prefix with a hyphen": [{ namePrefix: "pod-logs" }, /^namePrefix: /],
  "a prefix with a letter that Azure has not": [{ namePrefix: "pödlogs" }, /^namePrefix: /],
  "a prefix with a letter that only becomes one": [{ namePrefix: "\u212Aelvin" }, /^namePrefix: /],
  "a cluster's name with an underscore": [named("acme_emea"), /the name of a cluster has 1 to 40/],
  "a cluster's name with a blank": [named("emea", "ap ac"), /the name of a cluster has 1 to 40/],
  "a cluster's name that is too long": [named("a".repeat(41)), /the name of a cluster has 1 to 40/],
  "a cluster without a name": [
    clusters({ clusterId: "acme" }),
    /the name of a cluster has 1 to 40/,
  ],
  "a cluster without an id": [clusters({ name: "emea" }), /each cluster needs a clusterId/],
  "two clusters of one name": [named("emea", "apac", "EMEA"), /two clusters have the same name/],
  "a list of clusters under another name": [
    { additionalClusters: { cluster: [] } },
    /the list of clusters has the name clusters/,
  ],
  "neither a cluster nor TAP": [
    { clusterId: "", proofpointToken: "" },
    /^clusterId: enter it, or tapServicePrincipal/,
  ],
  "a token without a cluster": [
    { clusterId: "", proofpointToken: "t0ken", tapServicePrincipal: "a-principal" },
    /^clusterId: proofpointToken and additionalClusters need it/,
  ],
  "a TAP secret without its principal": [
    { tapSecret: "s" },
    /^tapSecret: it needs tapServicePrincipal/,
  ],
  "a plan for a TAP table without TAP": [
    { tablePlans: { ProofPointTAPClicksBlockedV2_CL: "Basic" } },
    /^tablePlans: /,
  ],
  "storage for a subnet that is not given": [
    { storageNetworkAccess: "Subnet" },
    /^virtualNetworkSubnetId: /,
  ],
  "a private vault without a subnet": [
    { keyVaultNetworkAccess: "Private" },
    /^virtualNetworkSubnetId: /,
  ],
  "a retention of no days": [{ tableRetentionInDays: 0 }, /^tableRetentionInDays: enter 4 to 730/],
  "a retention of three days": [{ tableRetentionInDays: 3 }, /^tableRetentionInDays: /],
  "a total retention of no days": [
    { tableTotalRetentionInDays: 0 },
    /^tableTotalRetentionInDays: enter 4 to 730/,
  ],
  "a total retention that Azure does not list": [
    { tableTotalRetentionInDays: 731 },
    /^tableTotalRetentionInDays: enter 4 to 730/,
  ],
  "a total retention of three years of 365.25 days": [
    { tableTotalRetentionInDays: 1096 },
    /^tableTotalRetentionInDays: enter 4 to 730/,
  ],
  "less in total than interactive": [
    { tableRetentionInDays: 91, tableTotalRetentionInDays: 90 },
    /can't be less than the interactive one/,
  ],
  "less than what the plan Basic keeps": [
    { tablePlan: "Basic", tableTotalRetentionInDays: 29 },
    /always 30 days with the plan Basic/,
  ],
  "a total retention that one table of the plan Basic exceeds": [
    { tablePlans: { ProofpointPODMailLog_CL: "Basic" }, tableTotalRetentionInDays: 29 },
    /always 30 days with the plan Basic/,
  ],
  "less in total than interactive, for tables of the plan Analytics alone": [
    {
      tablePlan: "Basic",
      tablePlans: { ProofpointPODMailLog_CL: "Analytics" },
      tableRetentionInDays: 60,
      tableTotalRetentionInDays: 40,
    },
    /can't be less than the interactive one/,
  ],
  "a plan for another table": [{ tablePlans: { Other_CL: "Basic" } }, /^tablePlans: /],
  "a plan that takes no such rows": [
    { tablePlans: { ProofpointPODMailLog_CL: "Auxiliary" } },
    /^tablePlans: /,
  ],
  "a transformation of another table": [
    { transformations: { Other_CL: "source" } },
    /^transformations: the tables are/,
  ],
  "a transformation of another source": [
    { transformations: { ProofpointPODAudit_CL: "ProofpointPODAudit_CL | take 1" } },
    /^transformations: each is a query that begins with source/,
  ],
  "a transformation that is too long": [
    { transformations: { ProofpointPODAudit_CL: `source${" ".repeat(15_355)}` } },
    /^transformations: each is a query/,
  ],
  "columns of another table": [
    { additionalColumns: { ProofpointPODMessages_CL: [] } },
    /^additionalColumns: the tables are/,
  ],
  "a column of a type that Azure has not": [
    own({ name: "Size", type: "integer" }),
    /^additionalColumns: the type of a column/,
  ],
  "a column without a type": [own({ name: "Size" }), /^additionalColumns: the type of a column/],
  "a column without a name": [own({ type: "int" }), /^additionalColumns: the name of a column/],
  "a column's name that begins with a digit": [
    own({ name: "1st", type: "int" }),
    /^additionalColumns: the name of a column/,
  ],
  "a column's name with a hyphen": [
    own({ name: "first-seen", type: "int" }),
    /^additionalColumns: the name of a column/,
  ],
  "a column's name of one letter": [
    own({ name: "a", type: "int" }),
    /^additionalColumns: the name of a column/,
  ],
  "an id that is no workspace's": [
    { workspaceResourceId: first.parameters.workspaceResourceId.replace("workspaces", "clusters") },
    /^workspaceResourceId: /,
  ],
  "an id with something behind it": [
    { workspaceResourceId: `${first.parameters.workspaceResourceId}/tables` },
    /^workspaceResourceId: /,
  ],
};

for (const [what, [parameters, sentence]] of Object.entries(REFUSED)) {
  test(`the template refuses ${what}`, () => {
    assert.match(refusal(parameters) ?? "nothing", sentence);
  });
}

const TAKEN = {
  "a prefix in capitals": { namePrefix: "POD9" },
  "names of clusters at both limits": named("a", "Z9".repeat(20)),
  "an empty list of clusters": clusters(),
  "the shortest retention": { tableRetentionInDays: 4, tableTotalRetentionInDays: 4 },
  "as much in total as interactive": { tableRetentionInDays: 730, tableTotalRetentionInDays: 730 },
  "the longest total retention": { tableRetentionInDays: 730, tableTotalRetentionInDays: 4383 },
  "the workspace's retention in total": { tableRetentionInDays: 90 },
  "what the plan Basic keeps": { tablePlan: "Basic", tableTotalRetentionInDays: 30 },
  "a retention that the plan Basic ignores": {
    tablePlan: "Basic",
    tableRetentionInDays: 365,
    tableTotalRetentionInDays: 90,
  },
  "a transformation of the greatest length": {
    transformations: { ProofpointPODAudit_CL: `source${" ".repeat(15_354)}` },
  },
  "TAP without a cluster": {
    clusterId: "",
    proofpointToken: "",
    tapServicePrincipal: "a-principal",
  },
  "a transformation of a TAP table": {
    tapServicePrincipal: "a-principal",
    transformations: { ProofPointTAPClicksBlockedV2_CL: "source | where threatStatus == 'active'" },
  },
  "private networks with a subnet": {
    virtualNetworkSubnetId: SUBNET,
    storageNetworkAccess: "Private",
  },
  "a column's name at its limit": own({ name: `a${"_9".repeat(22)}`, type: "DateTime" }),
  "a table's name in other letter case": { additionalColumns: { proofpointpodaudit_cl: [] } },
};

for (const [what, parameters] of Object.entries(TAKEN)) {
  test(`the template takes ${what}`, () => assert.equal(refusal(parameters), undefined));
}

test("a refused deployment does not begin", () => {
  for (const [parameters, sentence] of [
    [{ namePrefix: "pod-logs" }, /refuses: namePrefix: /],
    [{ workspaceResourceId: `${first.parameters.workspaceResourceId}/` }, /refuses: workspaceRes/],
  ]) {
    const variant = { ...first, parameters: { ...first.parameters, ...parameters } };
    assert.throws(() => evaluateVariant(template, variant), sentence);
  }
});

test("all faults are named at once", () => {
  const found = refusal({ namePrefix: "a-b", tableRetentionInDays: 2, ...named("x_y") });
  assert.match(found, /namePrefix: .* additionalClusters: .* tableRetentionInDays: /);
});

test("the form and the template take the same retentions", () => {
  const edges = [-1, 0, 3, 4, 29, 30, 31, 90, 365, 729, 730, 731, 1095, 1096, 4383, 4384];
  let both = 0;
  for (const plan of ["Analytics", "Basic"]) {
    for (const retention of edges.filter((days) => days <= 730)) {
      for (const total of edges.filter((days) => days <= 4383)) {
        const tables = { plan, retention: `${retention}`, totalRetention: `${total}` };
        const direct = {
          tablePlan: plan,
          tableRetentionInDays: plan === "Basic" ? -1 : retention,
          tableTotalRetentionInDays: total,
        };
        const wanted = refusal(direct) === undefined;
        assert.equal(formTakes({ ...LEAST_ANSWERS, tables }), wanted, JSON.stringify(tables));
        both += wanted ? 1 : 0;
      }
    }
  }
  assert.ok(both > 50);
});

function formTakes(answers) {
  try {
    outputs(wizard, answers, { location: "westeurope", sparse: true });
    return true;
  } catch (error) {
    assert.ok(error instanceof Refused, error);
    return false;
  }
}

function tablesWith(parameters) {
  const variant = { ...first, parameters: { ...first.parameters, ...parameters } };
  const { instances } = evaluateVariant(template, variant);
  const found = deployedOf(instances, "Microsoft.OperationalInsights/workspaces/tables");
  assert.equal(found.length, 4);
  return found.map(({ body: { properties } }) => {
    const { schema, ...rest } = properties;
    assert.ok(schema.columns.length > 0);
    return rest;
  });
}

test("every retention is sent, so that it can be taken back", () => {
  for (const sent of tablesWith({})) {
    assert.deepEqual(sent, { plan: "Analytics", retentionInDays: -1, totalRetentionInDays: -1 });
  }
  for (const sent of tablesWith({ tableRetentionInDays: 90, tableTotalRetentionInDays: 1095 })) {
    assert.deepEqual(sent, { plan: "Analytics", retentionInDays: 90, totalRetentionInDays: 1095 });
  }
});

test("a table with the plan Basic gets no interactive retention", () => {
  for (const sent of tablesWith({ tablePlan: "Basic", tableRetentionInDays: 90 })) {
    assert.deepEqual(sent, { plan: "Basic", totalRetentionInDays: -1 });
  }
});

test("a table can have a plan of its own", () => {
  const sent = tablesWith({
    tablePlans: { ProofpointPODMailLog_CL: "Basic" },
    tableRetentionInDays: 90,
  });
  assert.deepEqual(sent.map(({ plan }) => plan).sort(), [
    "Analytics",
    "Analytics",
    "Analytics",
    "Basic",
  ]);
  for (const { plan, retentionInDays } of sent) {
    assert.equal(retentionInDays, plan === "Basic" ? undefined : 90);
  }
});

test("diagnostic settings can be left out", () => {
  const settings = (parameters) => {
    const variant = { ...first, parameters: { ...first.parameters, ...parameters } };
    const { instances } = evaluateVariant(template, variant);
    return deployedOf(instances, "Microsoft.Insights/diagnosticSettings").length;
  };
  assert.equal(settings({}), 2);
  assert.equal(settings({ diagnosticSettings: false }), 0);
  const given = outputs(
    wizard,
    { ...LEAST_ANSWERS, advanced: { noDiagnostics: true } },
    { location: "westeurope", sparse: true },
  );
  assert.equal(given.diagnosticSettings, false);
});
