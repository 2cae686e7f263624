// The result of a deployment for its users: the Function App's settings, the tables, and the streams of
// the data collection rule.

export function deployedOf(instances, type) {
  return instances.filter(
    (instance) => instance.active && instance.type.toLowerCase() === type.toLowerCase(),
  );
}

/** The deployed resources as one flat template without expressions. */
export function flatTemplate({ deployment, instances, outputs }) {
  const { $schema, contentVersion } = deployment.template;
  const resources = instances
    .filter((instance) => instance.active && !instance.isDeployment)
    .map(({ id, body }) => ({ ...body, comments: id }));
  return { $schema, contentVersion, resources, outputs };
}

/** Names and values of all settings of the Function App. */
export function appSettings({ instances }) {
  const settings = {};
  for (const { body } of deployedOf(instances, "Microsoft.Web/sites")) {
    for (const { name, value } of body.properties.siteConfig?.appSettings ?? []) {
      settings[name] = value;
    }
  }
  for (const { name, body } of deployedOf(instances, "Microsoft.Web/sites/config")) {
    if (name.endsWith("/appsettings")) {
      Object.assign(settings, body.properties);
    }
  }
  return settings;
}

const REFERENCE =
  /^@Microsoft\.KeyVault\((?:SecretUri=(?<uri>[^;)]+)|VaultName=(?<vault>[^;)]+);SecretName=(?<name>[^;)]+))\)$/;

/** The vault's host or name and the secret's name in a Key Vault reference. */
export function keyVaultReference(value) {
  const groups = REFERENCE.exec(value)?.groups;
  if (!groups) {
    return undefined;
  }
  const url = groups.uri && new URL(groups.uri);
  return url
    ? { vault: url.host, secret: /^\/secrets\/([0-9A-Za-z-]+)(\/.*)?$/.exec(url.pathname)?.[1] }
    : { vault: groups.vault, secret: groups.name };
}

/** The secrets in the vault after the deployment; `vault` holds those before it. */
export function secrets({ instances }, vault) {
  const deployed = deployedOf(instances, "Microsoft.KeyVault/vaults/secrets").map(
    ({ name, body }) => [name.split("/")[1], body.properties.value],
  );
  return { ...vault, ...Object.fromEntries(deployed) };
}

/** The environment of the app: its settings as the platform hands them to the program. */
export function environmentOf(deployed, vault) {
  const held = secrets(deployed, vault);
  const entries = Object.entries(appSettings(deployed)).map(([name, value]) => {
    const reference = keyVaultReference(value);
    return [name, reference ? (held[reference.secret] ?? value) : value];
  });
  return Object.fromEntries(entries);
}

/** The columns of each table that the deployment makes, as `{table: {column: type}}`. */
export function tables({ instances }) {
  return Object.fromEntries(
    deployedOf(instances, "Microsoft.OperationalInsights/workspaces/tables").map(
      ({ name, body }) => [name.split("/")[1], columns(body.properties.schema.columns)],
    ),
  );
}

/** The columns of each stream that the rule declares. */
export function streams({ instances }) {
  return Object.fromEntries(
    deployedOf(instances, "Microsoft.Insights/dataCollectionRules")
      .flatMap(({ body }) => Object.entries(body.properties.streamDeclarations))
      .map(([stream, declared]) => [stream, columns(declared.columns)]),
  );
}

function columns(list) {
  return Object.fromEntries(list.map(({ name, type }) => [name, type]));
}
