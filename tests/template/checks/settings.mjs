// The Function App's settings: the program or the platform reads their names and accepts their values,
// and Key Vault references lead to a secret.

import { appSettings, deployedOf, keyVaultReference, secrets } from "../view.mjs";

/** Settings that the Functions host and the platform read, according to their documentation. */
const PLATFORM = [
  "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
  "APPLICATIONINSIGHTS_CONNECTION_STRING",
  "AzureWebJobsStorage__accountName",
  "AzureWebJobsStorage__blobServiceUri",
  "AzureWebJobsStorage__clientId",
  "AzureWebJobsStorage__credential",
  "AzureWebJobsStorage__queueServiceUri",
  "AzureWebJobsStorage__tableServiceUri",
  "FUNCTIONS_EXTENSION_VERSION",
  "FUNCTIONS_WORKER_RUNTIME",
  "WEBSITE_RUN_FROM_PACKAGE",
  "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID",
];

/** Flex Consumption rejects these settings, or sets them itself. */
const NOT_ON_FLEX =
  /^(FUNCTIONS_EXTENSION_VERSION|FUNCTIONS_WORKER_RUNTIME(_VERSION)?|WEBSITE_RUN_FROM_PACKAGE.*|WEBSITE_CONTENT.*|WEBSITE_TIME_ZONE|TZ|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|WEBSITE_VNET_ROUTE_ALL|WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT)$/i;

/** Flex Consumption does not take these properties of a site; those of `siteConfig` come second. */
const SITE_NOT_ON_FLEX = [
  ["outboundVnetRouting", "reserved", "vnetRouteAllEnabled"],
  [
    "alwaysOn",
    "ftpsState",
    "functionAppScaleLimit",
    "http20Enabled",
    "linuxFxVersion",
    "minimumElasticInstanceCount",
    "preWarmedInstanceCount",
    "remoteDebuggingEnabled",
    "use32BitWorkerProcess",
  ],
];

/** The host needs these settings on every plan other than Flex Consumption. */
const ELSEWHERE = [
  "FUNCTIONS_EXTENSION_VERSION",
  "FUNCTIONS_WORKER_RUNTIME",
  "WEBSITE_RUN_FROM_PACKAGE",
];

/** Names of settings that hold a secret. */
const SECRET =
  /^(ProofpointToken(_.+)?|TapSecret(_.+)?|ProofpointProxy|HTTPS_PROXY|WorkspaceKey|AZURE_CLIENT_SECRET|AzureWebJobsStorage|StateStorage)$/i;

const read = new WeakMap();

/** The settings in docs/settings.md. The program's source must name each of them. */
export function documented(project) {
  return read.get(project) ?? read.set(project, compared(project)).get(project);
}

function compared({ settingsPage, settingsSource, functionJson }) {
  const names = [...settingsPage.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const findings =
    names.length > 20 ? [] : [`docs/settings.md documents only ${names.length} settings`];
  const sources = settingsSource + JSON.stringify(functionJson);
  const unread = names.filter(
    (name) => !sources.includes(`"${name}"`) && !sources.includes(`%${name}%`),
  );
  findings.push(
    ...unread.map((name) => `docs/settings.md documents ${name}, which the program does not read`),
  );
  return { names, findings };
}

export function settingFindings({ project, deployed, variant }) {
  const { names } = documented(project);
  const findings = [];
  const settings = appSettings(deployed);
  const known = [...names, ...PLATFORM];
  for (const [name, value] of Object.entries(settings)) {
    const plain = name.replace(
      /^(ProofpointClusterID|ProofpointToken|TapServicePrincipal|TapSecret)_[A-Za-z0-9]+$/,
      "$1",
    );
    if (!known.includes(plain)) {
      findings.push(`nothing reads the setting ${name}`);
    }
    if (typeof value !== "string") {
      findings.push(`the setting ${name} is no text: ${JSON.stringify(value)}`);
      continue;
    }
    if (SECRET.test(name) && !keyVaultReference(value)) {
      findings.push(`the setting ${name} is no Key Vault reference`);
    }
    findings.push(...referenceFindings(name, value, deployed, variant.vault));
  }
  findings.push(
    ...hostFindings(project, settings, deployed),
    ...cloudFindings(settings, variant, deployed),
  );
  return findings;
}

/** A reference leads to a secret that this or an earlier deployment sets. */
function referenceFindings(name, value, deployed, vault) {
  if (!value.includes("@Microsoft.KeyVault")) {
    return [];
  }
  const reference = keyVaultReference(value);
  if (!reference?.secret) {
    return [`the setting ${name} is no reference that the platform takes: ${value}`];
  }
  const [host] = reference.vault.split(".");
  const findings = [];
  if (
    !deployedOf(deployed.instances, "Microsoft.KeyVault/vaults").some((each) => each.name === host)
  ) {
    findings.push(`the setting ${name} refers to the vault ${host}, which is not deployed`);
  }
  if (!(reference.secret in secrets(deployed, vault))) {
    findings.push(
      `the setting ${name} refers to the secret ${reference.secret}, which nothing sets`,
    );
  }
  return findings;
}

/** What the host reads: bindings in function.json, and the plan's own settings. */
function hostFindings({ functionJson, hostJson }, settings, deployed) {
  const bound = [...JSON.stringify(functionJson).matchAll(/%(\w+)%/g)].map(([, name]) => name);
  const findings = bound
    .filter((name) => !settings[name])
    .map((name) => `function.json needs the setting ${name}`);
  const [app] = deployedOf(deployed.instances, "Microsoft.Web/sites");
  const [plan] = deployedOf(deployed.instances, "Microsoft.Web/serverfarms");
  const isFlex = plan.body.sku.name === "FC1";
  if (isFlex !== Boolean(app.body.properties.functionAppConfig)) {
    findings.push("functionAppConfig goes with Flex Consumption, and with no other plan");
  }
  if (isFlex) {
    const refused = Object.keys(settings).filter((name) => NOT_ON_FLEX.test(name));
    findings.push(...refused.map((name) => `Flex Consumption refuses the setting ${name}`));
    const { siteConfig, ...site } = app.body.properties;
    [site, siteConfig ?? {}].forEach((properties, at) => {
      const sent = SITE_NOT_ON_FLEX[at].filter((name) => (properties[name] ?? null) !== null);
      findings.push(...sent.map((name) => `Flex Consumption refuses ${name}`));
    });
    const { runtime } = app.body.properties.functionAppConfig ?? {};
    if (runtime?.name !== "custom" || runtime?.version !== "1.0") {
      findings.push(`the runtime is ${JSON.stringify(runtime)}, not custom 1.0`);
    }
    if (hostJson.functionTimeout > "00:10:00") {
      findings.push(`functionTimeout is ${hostJson.functionTimeout}`);
    }
  } else {
    const missing = ELSEWHERE.filter((name) => !settings[name]);
    findings.push(
      ...missing.map((name) => `a plan other than Flex Consumption needs the setting ${name}`),
    );
  }
  return findings;
}

/** The program assumes the public cloud unless the setting says otherwise. */
function cloudFindings(settings, { cloud }, { world }) {
  const findings = [];
  const configured = settings.AZURE_CLOUD ?? "public";
  if (configured !== cloud) {
    findings.push(`AZURE_CLOUD is ${configured} in the cloud ${cloud}`);
  }
  for (const [name, value] of Object.entries(settings)) {
    const host = /:\/\/[^/]*\.(vault|blob|queue|table)\.([^/;)]+)/.exec(String(value));
    if (
      host &&
      ![world.cloud.storage, world.cloud.keyVault.replace(/^\.vault\./, "")].includes(host[2])
    ) {
      findings.push(`the setting ${name} names a host of another cloud: ${value}`);
    }
  }
  return findings;
}
