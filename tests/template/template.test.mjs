import assert from "node:assert/strict";
import { test } from "node:test";

import { CLOUDS } from "./azure.mjs";
import { deploy } from "./template.mjs";

const WORKSPACE =
  "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/soc/providers/Microsoft.OperationalInsights/workspaces/logs";

const context = {
  cloud: CLOUDS.public,
  tenantId: "00000000-0000-0000-0000-00000000000a",
  subscriptionId: "00000000-0000-0000-0000-000000000001",
  group: "apps",
  existing: [WORKSPACE],
};

const GROUP = `/subscriptions/${context.subscriptionId}/resourceGroups/apps`;

const VAULT = {
  type: "Microsoft.KeyVault/vaults",
  apiVersion: "2023-07-01",
  name: "vault",
  properties: {},
};

const SITE = {
  type: "Microsoft.Web/sites",
  apiVersion: "2024-04-01",
  name: "app",
  identity: { type: "SystemAssigned" },
  properties: {},
};

function outputsOf(template, parameters = {}) {
  const { outputs } = deploy({ resources: [], ...template }, parameters, context);
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
}

function output(value, template = {}) {
  return outputsOf({ ...template, outputs: { it: { type: "string", value } } }).it;
}

function nested(more, properties) {
  return {
    type: "Microsoft.Resources/deployments",
    apiVersion: "2024-03-01",
    name: "inside",
    ...more,
    properties: { mode: "Incremental", ...properties },
  };
}

test("parameters accept values of their type and limits", () => {
  const parameters = {
    name: { type: "string", minLength: 2, maxLength: 4 },
    size: { type: "int", minValue: 1, maxValue: 5, defaultValue: 3 },
    plan: { type: "string", allowedValues: ["a", "b"], defaultValue: "a" },
    both: { type: "string", defaultValue: "[concat(parameters('name'), parameters('plan'))]" },
  };
  const outputs = { both: { type: "string", value: "[parameters('both')]" } };
  const run = (given) => outputsOf({ parameters, outputs }, given).both;
  assert.equal(run({ name: "abc" }), "abca");
  assert.throws(() => run({}), /name, which has neither a value nor a default/);
  assert.throws(() => run({ name: 3 }), /type int, where it wants string/);
  assert.throws(() => run({ name: "a" }), /length 1, where it wants 2 to 4/);
  assert.throws(() => run({ name: "ab", size: 6 }), /value 6, where it wants 1 to 5/);
  assert.throws(() => run({ name: "ab", plan: "c" }), /none of a, b/);
  assert.throws(() => run({ name: "ab", other: 1 }), /no parameter other/);
});

test("loops repeat resources, properties, variables and outputs", () => {
  const { outputs, instances } = deploy(
    {
      variables: {
        copy: [{ name: "letters", count: 2, input: "[concat('v', copyIndex('letters'))]" }],
      },
      resources: [
        {
          ...VAULT,
          name: "[format('vault{0}', copyIndex(1))]",
          copy: { name: "vaults", count: 2 },
          properties: {
            copy: [
              {
                name: "rules",
                count: 2,
                input: "[concat(copyIndex('vaults'), copyIndex('rules'))]",
              },
            ],
          },
        },
      ],
      outputs: {
        all: { type: "array", copy: { count: 2, input: "[variables('letters')[copyIndex()]]" } },
      },
    },
    {},
    context,
  );
  assert.deepEqual(outputs.all.value, ["v0", "v1"]);
  assert.deepEqual(
    instances.map(({ name, body }) => [name, body.properties.rules]),
    [
      ["vault1", ["00", "01"]],
      ["vault2", ["10", "11"]],
    ],
  );
});

test("ids have one name per segment of their type", () => {
  assert.equal(
    output("[resourceId('Microsoft.KeyVault/vaults', 'v')]"),
    `${GROUP}/providers/Microsoft.KeyVault/vaults/v`,
  );
  assert.equal(
    output("[resourceId('other', 'Microsoft.KeyVault/vaults/secrets', 'v', 's')]"),
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/other/providers/Microsoft.KeyVault/vaults/v/secrets/s",
  );
  assert.equal(
    output("[extensionResourceId(resourceGroup().id, 'Microsoft.Authorization/locks', 'l')]"),
    `${GROUP}/providers/Microsoft.Authorization/locks/l`,
  );
  for (const call of [
    "resourceId('Microsoft.KeyVault/vaults/secrets', 'v')",
    "resourceId('Microsoft.KeyVault/vaults', 'v', 's')",
    "resourceId('Microsoft.KeyVault/vaults', '')",
    "resourceId('no subscription', 'other', 'Microsoft.KeyVault/vaults', 'v')",
    "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'a', 'b')",
    "extensionResourceId('', 'Microsoft.Authorization/locks', 'l')",
  ]) {
    assert.throws(() => output(`[${call}]`), /gives \w+\(\)/, call);
  }
  assert.throws(
    () => output("", { resources: [{ ...VAULT, name: "v/s" }] }),
    /count their segments/,
  );
});

test("reference() reads only deployed or existing resources", () => {
  const resources = [VAULT, SITE, { ...VAULT, name: "off", condition: false }];
  assert.equal(
    output("[reference('vault').vaultUri]", { resources }),
    "https://vault.vault.azure.net/",
  );
  const identity = output(
    "[reference(resourceId('Microsoft.Web/sites', 'app'), '2024-04-01', 'Full').identity.principalId]",
    { resources },
  );
  assert.match(identity, /^[0-9a-f-]{36}$/);
  assert.match(output(`[reference('${WORKSPACE}', '2023-09-01').customerId]`), /^[0-9a-f-]{36}$/);
  for (const [call, reason] of [
    [`reference('${WORKSPACE}')`, /without an API version/],
    [
      "reference(resourceId('Microsoft.KeyVault/vaults', 'missing'), '2023-07-01')",
      /neither deployed nor there/,
    ],
    ["reference('off')", /for the id of a resource/],
    ["reference('vault').principalId", /asks for the member "principalId"/],
    ["reference('vault', '2023-07-01', 'Full').identity", /asks for the member "identity"/],
    ["listKeys('vault', '2023-07-01')", /says nothing/],
  ]) {
    assert.throws(() => output(`[${call}]`, { resources }), reason, call);
  }
});

test("reference() fails before the deployment", () => {
  const early = "[reference('vault').vaultUri]";
  for (const template of [
    { variables: { it: early }, outputs: { it: { type: "string", value: "[variables('it')]" } } },
    { parameters: { it: { type: "string", defaultValue: early } } },
    { resources: [VAULT, { ...SITE, name: early }] },
    { resources: [VAULT, { ...SITE, location: early }] },
    { resources: [VAULT, { ...SITE, condition: `[equals('a', ${early.slice(1, -1)})]` }] },
  ]) {
    assert.throws(() => outputsOf({ resources: [VAULT], ...template }), /nothing is deployed yet/);
  }
});

test("an inner-scope deployment has its own parameters and group", () => {
  const inside = nested(
    { resourceGroup: "soc" },
    {
      expressionEvaluationOptions: { scope: "inner" },
      parameters: { uri: { value: "[reference('vault').vaultUri]" } },
      template: {
        parameters: { uri: { type: "string" } },
        resources: [],
        outputs: {
          it: { type: "string", value: "[concat(resourceGroup().name, ' ', parameters('uri'))]" },
        },
      },
    },
  );
  assert.equal(
    output("[reference('inside').outputs.it.value]", { resources: [VAULT, inside] }),
    "soc https://vault.vault.azure.net/",
  );
  inside.properties.parameters.other = { value: 1 };
  assert.throws(() => output("", { resources: [VAULT, inside] }), /no parameter other/);
});

test("an outer-scope deployment uses its parent and its own group", () => {
  const { instances } = deploy(
    {
      variables: { name: "outside" },
      resources: [
        nested(
          { resourceGroup: "soc" },
          {
            template: {
              variables: { name: "inside" },
              resources: [
                { ...VAULT, name: "[concat(variables('name'), '-', resourceGroup().name)]" },
              ],
            },
          },
        ),
      ],
    },
    {},
    context,
  );
  const { id } = instances.find(({ type }) => type === VAULT.type);
  assert.equal(
    id,
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/soc/providers/Microsoft.KeyVault/vaults/outside-apps",
  );
});

test("errors of cycles, duplicates and expressions name the place", () => {
  assert.throws(
    () =>
      output("[variables('a')]", { variables: { a: "[variables('b')]", b: "[variables('a')]" } }),
    /\$\.variables\.\w: .* needs itself/,
  );
  assert.throws(
    () => output("", { resources: [VAULT, VAULT] }),
    /\$\.resources\[1\]: .* deployed twice/,
  );
  assert.throws(
    () => output("[copyIndex()]"),
    /\$\.outputs\.it: \[copyIndex\(\)\] calls copyIndex\(\) outside/,
  );
});

test("host names depend on the cloud", () => {
  const resources = [{ ...VAULT, name: "vault" }];
  const template = {
    resources,
    outputs: {
      it: {
        type: "string",
        value: "[concat(reference('vault').vaultUri, environment().suffixes.storage)]",
      },
    },
  };
  for (const [cloud, expected] of [
    ["usgov", "https://vault.vault.usgovcloudapi.net/core.usgovcloudapi.net"],
    ["china", "https://vault.vault.azure.cn/core.chinacloudapi.cn"],
  ]) {
    assert.equal(
      deploy(template, {}, { ...context, cloud: CLOUDS[cloud] }).outputs.it.value,
      expected,
    );
  }
});
