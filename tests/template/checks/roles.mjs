// Role assignments: the app's identity has the roles that it needs, each on the right resource, and no
// others.

import { whole } from "../azure.mjs";
import { deployedOf } from "../view.mjs";

/** Built-in roles by GUID, and the resource types for which the app needs them. */
const ROLES = {
  "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": {
    name: "Storage Blob Data Owner",
    on: ["Microsoft.Storage/storageAccounts"],
  },
  "974c5e8b-45b9-4653-ba55-5f855dd0fb88": {
    name: "Storage Queue Data Contributor",
    on: ["Microsoft.Storage/storageAccounts"],
  },
  "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": {
    name: "Storage Table Data Contributor",
    on: ["Microsoft.Storage/storageAccounts"],
  },
  "4633458b-17de-408a-b874-0445c86b69e6": {
    name: "Key Vault Secrets User",
    on: ["Microsoft.KeyVault/vaults"],
  },
  "3913510d-42f4-4e42-8a64-420c390055eb": {
    name: "Monitoring Metrics Publisher",
    on: ["Microsoft.Insights/dataCollectionRules", "Microsoft.Insights/components"],
  },
};

/** The role that the app needs to use a resource of the type. */
const NEEDED = {
  "Microsoft.Storage/storageAccounts": "Storage Blob Data Owner",
  "Microsoft.KeyVault/vaults": "Key Vault Secrets User",
  "Microsoft.Insights/dataCollectionRules": "Monitoring Metrics Publisher",
};

export function roleFindings({ deployed }) {
  const { instances, world } = deployed;
  const principals = deployedOf(instances, "Microsoft.Web/sites").map(
    (app) => whole(app, world).identity?.principalId,
  );
  const findings = [];
  const granted = new Set();
  for (const assignment of deployedOf(instances, "Microsoft.Authorization/roleAssignments")) {
    const { principalId, principalType, roleDefinitionId } = assignment.body.properties;
    const role = ROLES[roleDefinitionId.split("/").at(-1)];
    const on = instances.find(
      ({ id, active }) => active && id.toLowerCase() === assignment.within().toLowerCase(),
    );
    const say = (what) => findings.push(`${assignment.pointer} ${what}`);
    if (!principals.includes(principalId)) {
      say(`gives a role to ${principalId}, which is not the app's identity`);
    }
    if (principalType !== "ServicePrincipal") {
      say(
        "does not say that a new identity is a ServicePrincipal, which fails until Entra knows it everywhere",
      );
    }
    if (!role) {
      say(`gives the role ${roleDefinitionId}, for which the app has no use`);
    } else if (!on || !role.on.some((type) => type.toLowerCase() === on.type.toLowerCase())) {
      say(`gives ${role.name} on ${assignment.within()}`);
    } else {
      granted.add(`${role.name} on ${on.id}`);
    }
  }
  for (const [type, name] of Object.entries(NEEDED)) {
    for (const { id } of deployedOf(instances, type)) {
      if (!granted.has(`${name} on ${id}`)) {
        findings.push(`the app lacks the role ${name} on ${id}`);
      }
    }
  }
  return findings;
}
