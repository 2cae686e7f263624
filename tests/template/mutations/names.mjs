import { role, variables } from "./parts.mjs";

export const NAMES = [
  [
    "a storage account with a hyphen",
    (p) => {
      variables(p).storageAccountName = "[concat('st-', variables('unique'))]";
    },
    /can't be the name of a Microsoft.Storage\/storageAccounts/,
  ],
  [
    "a vault with a long name",
    (p) => {
      variables(p).keyVaultName = "[concat('keyvault', variables('prefix'), variables('unique'))]";
    },
    /can't be the name of a Microsoft.KeyVault\/vaults/,
  ],
  [
    "a rule with a long name",
    (p) => {
      variables(p).ruleName = "[concat('rule-of-proofpoint-', variables('unique'))]";
    },
    /can't be the name of a Microsoft.Insights\/dataCollectionRules/,
  ],
  [
    "an app with a long name",
    (p) => {
      variables(p).functionAppName = "[concat('function-app-of-', variables('stem'))]";
    },
    /is cut to 32 characters/,
  ],
  [
    "a role assignment with a name of its own",
    (p) => {
      role(p, "keyVault')").name = "reader";
    },
    /can't be the name of a Microsoft.Authorization/,
  ],
  [
    "a type whose names have no rule",
    (p) =>
      p.template.resources.push({
        type: "Microsoft.Cache/redis",
        apiVersion: "2024-03-01",
        name: "x",
        properties: {},
      }),
    /no rule for names of the type Microsoft.Cache/,
  ],
];
