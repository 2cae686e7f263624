import { nested, replaceAll, role } from "./parts.mjs";

export const ROLES = [
  [
    "a role that is too much",
    (p) =>
      replaceAll(
        nested(p, "Microsoft.Authorization/roleAssignments", "keyVault')").properties.template,
        "variables",
        "4633458b-17de-408a-b874-0445c86b69e6",
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
      ),
    /for which the app has no use/,
  ],
  [
    "a role on the whole resource group",
    (p) => {
      delete role(p, "keyVault')").scope;
    },
    /gives Key Vault Secrets User on/,
  ],
  [
    "a role for someone else",
    (p) => {
      role(p, "keyVault')").properties.principalId = "44444444-4444-4444-4444-444444444444";
    },
    /not the app's identity/,
  ],
  [
    "a role without the type of its principal",
    (p) => {
      delete role(p, "keyVault')").properties.principalType;
    },
    /ServicePrincipal/,
  ],
  [
    "a role that is missing",
    (p) => {
      role(p, "keyVault')").condition = false;
    },
    /lacks the role Key Vault Secrets User/,
  ],
];
