import { one, parameters, set, site } from "./parts.mjs";

export const FORM = [
  [
    "a key twice",
    (p) => {
      p.texts["azuredeploy.json"] = p.texts["azuredeploy.json"].replace(
        '"variables": {',
        '"variables": {"flex": true, ',
      );
    },
    /flex stands there twice/,
  ],
  [
    "a comment",
    (p) => {
      p.texts["createUiDefinition.json"] = `// x\n${p.texts["createUiDefinition.json"]}`;
    },
    /createUiDefinition.json:1:1: InvalidCommentToken/,
  ],
  [
    "a comma at the end",
    (p) => {
      p.texts["azuredeploy.json"] = p.texts["azuredeploy.json"].replace(/\}\s*$/, ",}");
    },
    /azuredeploy.json:\d+:\d+: /,
  ],
  [
    "a preview of an API",
    (p) => {
      site(p).apiVersion = "2024-04-01-preview";
    },
    /apiVersion is 2024-04-01-preview/,
  ],
  [
    "a version that Azure retires",
    (p) => {
      one(p, "Microsoft.KeyVault/vaults").apiVersion = "2025-05-01";
    },
    /apiVersion is 2025-05-01, which is too old/,
  ],
  [
    "a resource that is read by another version than it is deployed by",
    (p) => {
      site(p).apiVersion = "2025-05-01";
    },
    /reads Microsoft.Web\/sites by 2025-03-01; it is deployed by 2025-05-01/,
  ],
  [
    "a parameter without a description",
    (p) => {
      delete parameters(p).mode.metadata;
    },
    /parameters.mode has no description/,
  ],
  [
    "a secret with a default",
    (p) => {
      parameters(p).proofpointToken.defaultValue = "x";
    },
    /proofpointToken is a secret with a default/,
  ],
  [
    "a host of one cloud",
    (p) =>
      set(
        p,
        "AzureWebJobsStorage__blobServiceUri",
        "[concat('https://', variables('storageAccountName'), '.blob.core.windows.net')]",
      ),
    /names windows.net, a host of one cloud/,
  ],
  [
    "another version's package",
    (p) => {
      p.version = "9.9.9";
    },
    /packageUri is .*, not .*9\.9\.9/,
  ],
  [
    "the ordinary package for queue mode",
    (p) => {
      p.template.variables.releasedPackages.queue = p.template.variables.releasedPackages.inline;
    },
    /releasedPackages are .*, not .*-queue-/,
  ],
  [
    "another home",
    (p) => {
      p.home = "https://example.com/other";
    },
    /packageUri is .*, not https:\/\/example.com/,
  ],
  [
    "another version of the template",
    (p) => {
      p.template.contentVersion = "9.9.9.0";
    },
    /contentVersion is 9.9.9.0/,
  ],
];
