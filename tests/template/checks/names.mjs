// Names are within the limits that Azure documents in "Naming rules and restrictions for Azure
// resources", or else on the page of the resource.

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const WORD = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;

/** By type: minimum and maximum length, and the form, of the last segment of a name. */
const RULES = {
  "microsoft.authorization/roleassignments": [36, 36, GUID],
  "microsoft.insights/components": [1, 255, /^[\w.()-]*[\w()-]$/],
  // Rules of the kind Direct, whose name becomes part of a host name.
  "microsoft.insights/datacollectionrules": [3, 30, WORD],
  "microsoft.insights/diagnosticsettings": [1, 260, /^[^*<>%&:\\?+/]+$/],
  "microsoft.insights/workbooks": [36, 36, GUID],
  "microsoft.keyvault/vaults": [3, 24, /^[a-z](-?[a-z0-9])+$/i],
  "microsoft.keyvault/vaults/secrets": [1, 127, /^[0-9a-z-]+$/i],
  "microsoft.managedidentity/userassignedidentities": [3, 128, /^[a-z0-9][\w-]*$/i],
  "microsoft.operationalinsights/workspaces/savedsearches": [1, 260, /^[\w -]+$/],
  "microsoft.operationalinsights/workspaces/tables": [4, 63, /^[A-Za-z][A-Za-z0-9_]*_CL$/],
  "microsoft.resources/deployments": [1, 64, /^[\w.()-]+$/],
  "microsoft.securityinsights/alertrules": [36, 36, GUID],
  "microsoft.securityinsights/dataconnectordefinitions": [3, 64, /^\w+$/],
  // The alias, which queries name.
  "microsoft.securityinsights/watchlists": [3, 64, /^\w+$/],
  "microsoft.storage/storageaccounts": [3, 24, /^[a-z0-9]+$/],
  "microsoft.storage/storageaccounts/blobservices": [7, 7, /^default$/],
  "microsoft.storage/storageaccounts/blobservices/containers": [3, 63, /^[a-z0-9]+(-[a-z0-9]+)*$/],
  "microsoft.storage/storageaccounts/queueservices/queues": [3, 63, /^[a-z0-9]+(-[a-z0-9]+)*$/],
  "microsoft.storage/storageaccounts/managementpolicies": [7, 7, /^default$/],
  "microsoft.web/serverfarms": [1, 60, /^[a-z0-9-]+$/i],
  "microsoft.web/sites": [2, 60, WORD],
  "microsoft.web/sites/basicpublishingcredentialspolicies": [3, 3, /^(ftp|scm)$/],
  "microsoft.web/sites/config": [3, 30, /^(appsettings|web|logs)$/],
  "microsoft.web/sites/extensions": [9, 9, /^onedeploy$/],
};

export function nameFindings({ deployed }) {
  return deployed.instances
    .filter(({ active }) => active)
    .flatMap(({ pointer, type, name }) => {
      const rule = RULES[type.toLowerCase()];
      if (!rule) {
        return [`${pointer}: names.mjs has no rule for names of the type ${type}`];
      }
      const [least, most, form] = rule;
      const last = name.split("/").at(-1);
      const right = last.length >= least && last.length <= most && form.test(last);
      return right
        ? []
        : [
            `${pointer}: ${last} can't be the name of a ${type}: ${least} to ${most} characters, ${form}`,
          ];
    });
}

/** Functions hosts whose names begin with the same characters get the same host id. */
const HOST_ID_LENGTH = 32;

export function hostIdFindings({ deployed }) {
  return deployed.instances
    .filter(
      ({ type, name }) =>
        type.toLowerCase() === "microsoft.web/sites" && name.length > HOST_ID_LENGTH,
    )
    .map(
      ({ pointer, name }) =>
        `${pointer}: the name ${name} is cut to ${HOST_ID_LENGTH} characters for the host's id`,
    );
}
