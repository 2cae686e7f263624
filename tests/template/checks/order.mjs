// The order of deployment: the dependencies of a resource are deployed before it. Azure deploys all
// resources at once that dependsOn does not order.

/** Resources that certainly exist when `instance` is deployed. */
function before(instance, found = new Set()) {
  const add = (other) => {
    if (found.has(other)) {
      return;
    }
    found.add(other);
    if (other.isDeployment) {
      other.child.instances.filter((each) => each.active).forEach(add);
    }
    before(other, found);
  };
  instance.dependsOn
    .flatMap(({ on }) => on)
    .filter((other) => other.active)
    .forEach(add);
  const { owner } = instance.deployment;
  return owner ? before(owner, found) : found;
}

/** All dependencies of `instance`, as `[dependency, reason]`. */
function needs(instance, { world, instances }) {
  const active = instances.filter((other) => other.active && other !== instance);
  const list = instance.uses.map(({ name, target }) => [target, `${name}()`]);
  const base = instance.within().toLowerCase();
  const words = wordsOf(instance);
  const ids = words.match(/^\/subscriptions\/.*$/gm) ?? [];
  for (const other of active) {
    const id = other.id.toLowerCase();
    if (instance.id.toLowerCase().startsWith(`${id}/`)) {
      list.push([other, "it is a part of it"]);
    } else if (base === id) {
      list.push([other, "it is an extension of it"]);
    } else if (ids.some((text) => text === id || text.startsWith(`${id}/`))) {
      list.push([other, "its properties name it"]);
    }
  }
  return [...list, ...special(instance, active, world, words)];
}

/** All texts and keys of a resource in lower case, one per line, without tags. */
function wordsOf({ body: { tags, ...body } }) {
  const words = [];
  JSON.stringify(body, (key, value) => {
    words.push(key, typeof value === "string" ? value : "");
    return value;
  });
  return `\n${words.join("\n")}\n`.toLowerCase();
}

function ofType(instances, type) {
  return instances.filter((instance) => instance.type.toLowerCase() === type.toLowerCase());
}

/** Dependencies that only names show. */
function special(instance, active, world, words) {
  const list = [];
  const need = (type, why, applies = () => true) =>
    list.push(
      ...ofType(active, type)
        .filter(applies)
        .map((other) => [other, why]),
    );
  const type = instance.type.toLowerCase();
  if (type.startsWith("microsoft.web/sites")) {
    const names = (text) => words.includes(text.toLowerCase());
    const account = ({ name }) => names(`://${name}.blob.`) || names(`\n${name}\n`);
    need("Microsoft.Storage/storageAccounts", "its settings name the account", account);
    need(
      "Microsoft.Storage/storageAccounts/blobServices/containers",
      "its settings name the container",
      ({ name }) => {
        const [host, , container] = name.split("/");
        return names(`://${host}.blob.${world.cloud.storage}/${container}\n`);
      },
    );
    if (names("@microsoft.keyvault(")) {
      const secret = ({ name }) =>
        names(`/secrets/${name.split("/")[1]})`) || names(`secretname=${name.split("/")[1]})`);
      need("Microsoft.KeyVault/vaults/secrets", "a setting refers to the secret", secret);
      const onVault = (role) => /\/vaults\//i.test(role.within());
      need(
        "Microsoft.Authorization/roleAssignments",
        "the platform reads the vault as soon as a setting refers to it",
        onVault,
      );
    }
  }
  if (isContent(instance)) {
    need("Microsoft.Authorization/roleAssignments", "new roles spread while it is deployed");
  }
  if (type === "microsoft.web/sites/config" || isCode(instance)) {
    list.push(...active.filter(isContent).map((each) => [each, "new roles spread meanwhile"]));
  }
  if (isCode(instance)) {
    need("Microsoft.Authorization/roleAssignments", "the app starts with its roles");
    need(
      "Microsoft.Web/sites/config",
      "the app starts with its settings",
      (other) => other !== instance,
    );
    need(
      "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
      "the app starts with its network",
    );
    need(
      "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
      "the app starts with its network",
    );
  }
  if (type === "microsoft.insights/datacollectionrules") {
    const tables = instance.body.properties.dataFlows.map(({ outputStream }) =>
      outputStream.replace(/^Custom-/, ""),
    );
    need("Microsoft.OperationalInsights/workspaces/tables", "it writes to the table", ({ name }) =>
      tables.includes(name.split("/")[1]),
    );
  }
  if (type === "microsoft.securityinsights/alertrules") {
    const calls = ({ body }) =>
      new RegExp(`\\b${body.properties.functionAlias}\\b`).test(instance.body.properties.query);
    const saved = "Microsoft.OperationalInsights/workspaces/savedSearches";
    need(saved, "its query calls the function", calls);
    const code = active.filter(isCode).map((each) => [each, "the program comes before the rules"]);
    list.push(...code);
  }
  return list;
}

/** What takes Azure minutes to deploy, and what the app does not need. */
const CONTENT = [
  "microsoft.insights/workbooks",
  "microsoft.operationalinsights/workspaces/savedsearches",
  "microsoft.securityinsights/dataconnectordefinitions",
];

function isContent({ type }) {
  return CONTENT.includes(type.toLowerCase());
}

/** Whether this resource deploys the app's program. */
function isCode({ type, body }) {
  const settings = body.properties;
  return (
    type.toLowerCase() === "microsoft.web/sites/extensions" ||
    (type.toLowerCase() === "microsoft.web/sites/config" &&
      "WEBSITE_RUN_FROM_PACKAGE" in (settings ?? {}))
  );
}

export function orderFindings({ deployed }) {
  const findings = [];
  for (const instance of deployed.instances) {
    for (const { text, on, known } of instance.dependsOn) {
      if (!known) {
        findings.push(`${instance.pointer} depends on ${text}, which the template does not deploy`);
      }
      if (on.includes(instance)) {
        findings.push(`${instance.pointer} depends on itself`);
      }
    }
  }
  findings.push(...cycleFindings(deployed));
  if (findings.length > 0) {
    return findings;
  }
  for (const instance of deployed.instances.filter(({ active }) => active)) {
    const there = before(instance);
    for (const [other, why] of needs(instance, deployed)) {
      const around =
        owners(instance).includes(other) ||
        (other.isDeployment && other.child === instance.deployment);
      if (!there.has(other) && other !== instance && !around) {
        findings.push(
          `${instance.pointer} (${instance.name}) must depend on ${other.type} ${other.name}: ${why}`,
        );
      }
    }
    findings.push(...parentFindings(instance, deployed));
  }
  return findings;
}

function owners({ deployment: { owner } }) {
  return owner ? [owner, ...owners(owner)] : [];
}

/** A child resource needs its parent, which is deployed or exists already. */
function parentFindings(instance, { world }) {
  const parts = instance.type.split("/");
  if (parts.length < 3 || /\/providers\//i.test(instance.type)) {
    return [];
  }
  const parent = instance.id.split("/").slice(0, -2).join("/");
  const there =
    world.find(parent)?.active || world.existing.has(parent.toLowerCase()) || IMPLIED.test(parent);
  return there
    ? []
    : [`${instance.pointer} is a part of ${parent}, which is neither deployed nor there already`];
}

/** Child resources that Azure creates with their parent. */
const IMPLIED = /\/storageAccounts\/[^/]+\/(blob|queue|table|file)Services\/default$/i;

function cycleFindings({ instances }) {
  const done = new Set();
  const findings = [];
  const follow = (instance, way) => {
    if (way.includes(instance)) {
      const names = [...way.slice(way.indexOf(instance)), instance].map(({ name }) => name);
      findings.push(`a cycle of dependencies: ${names.join(" -> ")}`);
    } else if (!done.has(instance)) {
      const next = [
        ...instance.dependsOn.flatMap(({ on }) => on),
        ...instance.uses.map(({ target }) => target),
      ];
      next.forEach((other) => follow(other, [...way, instance]));
      done.add(instance);
    }
  };
  instances.forEach((instance) => follow(instance, []));
  return findings;
}
