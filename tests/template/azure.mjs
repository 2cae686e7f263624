// Simulated answers of Azure: its clouds, and properties of resources that no template contains, such
// as the principal of an identity. Expressions can only read what is declared here.

import { createHash } from "node:crypto";

import { ExpressionError } from "./expression.mjs";

/** `elsewhere` is the location of resources that no template deploys. */
export const CLOUDS = {
  public: {
    name: "AzureCloud",
    location: "westeurope",
    elsewhere: "northeurope",
    portal: "https://portal.azure.com",
    resourceManager: "https://management.azure.com/",
    login: "https://login.microsoftonline.com/",
    storage: "core.windows.net",
    keyVault: ".vault.azure.net",
    sql: ".database.windows.net",
    registry: ".azurecr.io",
    sites: "azurewebsites.net",
    ingest: "ingest.monitor.azure.com",
    insights: "applicationinsights.azure.com",
  },
  usgov: {
    name: "AzureUSGovernment",
    location: "usgovvirginia",
    elsewhere: "usgovarizona",
    portal: "https://portal.azure.us",
    resourceManager: "https://management.usgovcloudapi.net/",
    login: "https://login.microsoftonline.us/",
    storage: "core.usgovcloudapi.net",
    keyVault: ".vault.usgovcloudapi.net",
    sql: ".database.usgovcloudapi.net",
    registry: ".azurecr.us",
    sites: "azurewebsites.us",
    ingest: "ingest.monitor.azure.us",
    insights: "applicationinsights.azure.us",
  },
  china: {
    name: "AzureChinaCloud",
    location: "chinanorth3",
    elsewhere: "chinaeast2",
    portal: "https://portal.azure.cn",
    resourceManager: "https://management.chinacloudapi.cn/",
    login: "https://login.chinacloudapi.cn/",
    storage: "core.chinacloudapi.cn",
    keyVault: ".vault.azure.cn",
    sql: ".database.chinacloudapi.cn",
    registry: ".azurecr.cn",
    sites: "chinacloudsites.cn",
    ingest: "ingest.monitor.azure.cn",
    insights: "applicationinsights.azure.cn",
  },
};

export function environment(cloud) {
  return {
    name: cloud.name,
    portal: cloud.portal,
    resourceManager: cloud.resourceManager,
    authentication: {
      loginEndpoint: cloud.login,
      audiences: [cloud.resourceManager],
      tenant: "common",
      identityProvider: "AAD",
    },
    suffixes: {
      acrLoginServer: cloud.registry,
      keyvaultDns: cloud.keyVault,
      sqlServerHostname: cloud.sql,
      storage: cloud.storage,
    },
  };
}

function digest(...parts) {
  return createHash("sha256").update(parts.join("\n").toLowerCase()).digest("hex");
}

function guidOf(...parts) {
  return digest(...parts).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, "$1-$2-$3-$4-$5");
}

/** The `identity` of a resource as Azure returns it; `declared` is the one in the template. */
function identity(id, declared, tenantId) {
  if (!declared?.type || declared.type === "None") {
    return undefined;
  }
  const answer = { type: declared.type, tenantId };
  if (declared.type.includes("SystemAssigned")) {
    answer.principalId = guidOf("principal", id);
  }
  if (declared.userAssignedIdentities) {
    answer.userAssignedIdentities = Object.fromEntries(
      Object.keys(declared.userAssignedIdentities).map((user) => [
        user,
        userAssigned(user, tenantId),
      ]),
    );
  }
  return answer;
}

function userAssigned(id, tenantId) {
  return { principalId: guidOf("principal", id), clientId: guidOf("client", id), tenantId };
}

function endpoints(account, cloud, services) {
  return Object.fromEntries(
    services.map((service) => [service, `https://${account}.${service}.${cloud.storage}/`]),
  );
}

/** Since this version, rules of the kind `Direct` have their own endpoint. */
const DIRECT_SINCE = "2023-03-11";

/** Properties that `reference()` returns in addition to those in the template. */
const PROPERTIES = {
  "microsoft.web/sites": ({ name, cloud }) => ({
    defaultHostName: `${name}.${cloud.sites}`,
    state: "Running",
  }),
  "microsoft.web/serverfarms": () => ({}),
  "microsoft.storage/storageaccounts": ({ name, cloud }) => ({
    primaryEndpoints: endpoints(name, cloud, ["blob", "file", "queue", "table"]),
  }),
  "microsoft.keyvault/vaults": ({ name, cloud }) => ({
    vaultUri: `https://${name}${cloud.keyVault}/`,
  }),
  "microsoft.keyvault/vaults/secrets": ({ name, cloud }) => {
    const [vault, secret] = name.split("/");
    const uri = `https://${vault}${cloud.keyVault}/secrets/${secret}`;
    return { secretUri: uri, secretUriWithVersion: `${uri}/${digest(name).slice(0, 32)}` };
  },
  "microsoft.insights/components": ({ id, cloud, location }) => ({
    AppId: guidOf("application", id),
    InstrumentationKey: guidOf("instrumentation", id),
    ConnectionString:
      `InstrumentationKey=${guidOf("instrumentation", id)};` +
      `IngestionEndpoint=https://${location}-1.in.${cloud.insights}/`,
  }),
  "microsoft.insights/datacollectionrules": ({ id, name, cloud, location, body, apiVersion }) => ({
    immutableId: `dcr-${digest("rule", id).slice(0, 32)}`,
    ...(body?.kind === "Direct" &&
      apiVersion >= DIRECT_SINCE && {
        endpoints: { logsIngestion: `https://${name}-abcd.${location}-1.logs.z1.${cloud.ingest}` },
      }),
  }),
  "microsoft.insights/datacollectionendpoints": ({ name, cloud, location }) => ({
    logsIngestion: { endpoint: `https://${name}-abcd.${location}-1.${cloud.ingest}` },
  }),
  "microsoft.operationalinsights/workspaces": ({ id }) => ({ customerId: guidOf("workspace", id) }),
  "microsoft.managedidentity/userassignedidentities": ({ id, tenantId }) =>
    userAssigned(id, tenantId),
  "microsoft.network/virtualnetworks": () => ({}),
  "microsoft.network/privateendpoints": () => ({}),
};

/** The result of `list...()`; `secret` makes a secret of the resource. */
const LISTS = {
  "listkeys microsoft.storage/storageaccounts": (secret) => ({
    keys: ["key1", "key2"].map((keyName) => ({
      keyName,
      value: secret(keyName),
      permissions: "FULL",
    })),
  }),
  "listkeys microsoft.operationalinsights/workspaces": (secret) => ({
    primarySharedKey: secret("primary"),
    secondarySharedKey: secret("secondary"),
  }),
};

/**
 * The result of `reference()` for `resource`: `{id, type, name, apiVersion}`, with `body` if a template
 * deploys it.
 */
export function properties(resource, world) {
  const model = PROPERTIES[resource.type.toLowerCase()];
  if (!model) {
    throw new ExpressionError(
      `asks for the properties of a ${resource.type}, of which azure.mjs says nothing`,
    );
  }
  const { cloud, tenantId } = world;
  const location = resource.body?.location ?? cloud.location;
  return {
    provisioningState: "Succeeded",
    ...resource.body?.properties,
    ...model({ ...resource, cloud, tenantId, location }),
  };
}

/** The same with `'Full'`. */
export function whole(resource, world) {
  const { identity: wanted, ...rest } = resource.body ?? {};
  const given = identity(resource.id, wanted, world.tenantId);
  return {
    location: world.cloud.elsewhere,
    ...rest,
    ...(given && { identity: given }),
    properties: properties(resource, world),
    resourceId: resource.id,
  };
}

/** The same for `list...()`. Its secrets are added to those of the world. */
export function listed(name, resource, world) {
  const model = LISTS[`${name} ${resource.type}`.toLowerCase()];
  if (!model) {
    throw new ExpressionError(
      `calls ${name}() on a ${resource.type}, of which azure.mjs says nothing`,
    );
  }
  return model((what) => {
    const secret = Buffer.from(digest("secret", what, resource.id), "hex").toString("base64");
    world.secrets.add(secret);
    return secret;
  });
}
