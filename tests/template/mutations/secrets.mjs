import { nested, one, parameters, replaceAll, set, settings, site, variables } from "./parts.mjs";

export const SECRETS = [
  [
    "a token in the settings",
    (p) => set(p, "ProofpointToken", "[parameters('proofpointToken')]"),
    /shows a secret in properties.ProofpointToken/,
  ],
  [
    "a token in the settings, encoded",
    (p) => set(p, "StateContainer", "[base64(parameters('proofpointToken'))]"),
    /shows a secret in properties.StateContainer/,
  ],
  [
    "a token in an output",
    (p) => {
      p.template.outputs.x = { type: "string", value: "[parameters('proofpointToken')]" };
    },
    /outputs shows a secret/,
  ],
  [
    "a token in a tag",
    (p) => {
      site(p).tags = { owner: "[parameters('proofpointToken')]" };
    },
    /shows a secret in tags.owner/,
  ],
  [
    "a token in a nested deployment's history",
    (p) => {
      const deployment = nested(p, "Microsoft.Authorization/roleAssignments").properties;
      deployment.parameters.x = { value: "[parameters('proofpointToken')]" };
      deployment.template.parameters.x = { type: "string" };
    },
    /the parameter x\) shows a secret/,
  ],
  [
    "an account's key in the settings",
    (p) => {
      settings(p).properties = settings(p).properties.replace(
        "createObject('APPLICATIONINSIGHTS",
        "createObject('StateStorage', listKeys(resourceId('Microsoft.Storage/storageAccounts', variables('storageAccountName')), '2023-01-01').keys[0].value, 'APPLICATIONINSIGHTS",
      );
    },
    /shows a secret in properties.StateStorage/,
  ],
  [
    "a secret that is no secure parameter",
    (p) => {
      parameters(p).legacyWorkspaceKey.type = "string";
    },
    /legacyWorkspaceKey is named like a secret/,
  ],
  [
    "a deployment without a token empties it",
    (p) => {
      delete one(p, "Microsoft.KeyVault/vaults/secrets", "parameters('proofpointToken')").condition;
    },
    /empties the secret .*ProofpointToken/,
  ],
  [
    "a TAP secret in a plain setting",
    (p) =>
      replaceAll(
        variables(p),
        "choices",
        "[if(variables('tap'), concat(variables('secretReference'), 'TapSecret)'), '')]",
        "[parameters('tapSecret')]",
      ),
    /shows a secret in properties.TapSecret/,
  ],
];
