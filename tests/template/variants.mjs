// The deployments that the checks evaluate, each with realistic parameters and existing resources.
// Secrets are markers that can be searched for.

import { CLOUDS } from "./azure.mjs";
import { TemplateError } from "./expression.mjs";
import { deploy, variableOf } from "./template.mjs";

const SUBSCRIPTION = "11111111-1111-1111-1111-111111111111";
const WORKSPACE_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222";

export const SUBNET = `/subscriptions/${SUBSCRIPTION}/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/functions`;

const WORKSPACE =
  "resourceGroups/security-operations/providers/Microsoft.OperationalInsights/workspaces/soc-workspace";

export function workspaceIn(subscription) {
  return `/subscriptions/${subscription}/${WORKSPACE}`;
}

/** Only the required parameters. */
const LEAST = { clusterId: "acme_hosted", workspaceResourceId: workspaceIn(SUBSCRIPTION) };

const KEY = Buffer.from("marker of the workspace key").toString("base64");

/** Secrets that an earlier deployment left in the vault. */
const KEPT = {
  ProofpointToken: "kept-token",
  WorkspaceKey: Buffer.from("kept workspace key").toString("base64"),
  ProofpointProxy: "http://kept:proxy@proxy.example:3128",
  "ProofpointToken-emea": "kept-token-emea",
  "ProofpointToken-apac": "kept-token-apac",
  TapSecret: "kept-tap-secret",
};

const CHOICES = {
  cloud: { public: {}, usgov: {}, china: {} },
  plan: {
    flex: { hostingPlan: "FlexConsumption" },
    premium: { hostingPlan: "ElasticPremium" },
  },
  destination: {
    "logs-ingestion": { destination: "logs-ingestion" },
    "data-collector": { destination: "data-collector", legacyWorkspaceKey: KEY },
  },
  network: {
    open: {},
    subnet: { virtualNetworkSubnetId: SUBNET, storageNetworkAccess: "Subnet" },
    fenced: {
      virtualNetworkSubnetId: SUBNET,
      storageNetworkAccess: "Subnet",
      keyVaultNetworkAccess: "Subnet",
    },
    private: {
      virtualNetworkSubnetId: SUBNET,
      storageNetworkAccess: "Private",
      keyVaultNetworkAccess: "Private",
    },
  },
  proxy: {
    direct: {},
    proxy: {
      proxy: "http://marker:proxy@proxy.example:3128",
      noProxy: "10.0.0.0/8",
      companyCaFile: "/home/site/wwwroot/company-ca.pem",
    },
  },
  sources: {
    "one cluster": {},
    "three clusters": {
      additionalClusters: {
        clusters: [
          { name: "emea", clusterId: "acme_emea", token: "marker-of-token-emea" },
          { name: "apac", clusterId: "acme_apac", token: "marker-of-token-apac" },
        ],
      },
    },
    "with TAP": { tapServicePrincipal: "a-principal", tapSecret: "marker-of-tap-secret" },
  },
  deployment: {
    first: { proofpointToken: "marker-of-token" },
    again: { proofpointToken: "" },
  },
};

const NO_CLUSTER = { clusterId: "", proofpointToken: "" };

/** Parameters of a deployment that is repeated without its secrets. */
const FORGOTTEN = {
  data: { legacyWorkspaceKey: "" },
  proxy: { proxy: "", useProxy: true },
  clusters: {
    additionalClusters: {
      clusters: [
        { name: "emea", clusterId: "acme_emea" },
        { name: "apac", clusterId: "acme_apac" },
      ],
    },
  },
  tap: { tapSecret: "" },
};

function forgetful(names, parameters) {
  const more = {};
  if (names.destination === "data-collector") {
    Object.assign(more, FORGOTTEN.data);
  }
  if (names.proxy === "proxy") {
    Object.assign(more, FORGOTTEN.proxy);
  }
  if (names.sources === "three clusters") {
    Object.assign(more, FORGOTTEN.clusters);
  }
  if (names.sources === "with TAP") {
    Object.assign(more, FORGOTTEN.tap);
  }
  return { ...parameters, ...more };
}

/** Flex Consumption cannot reach a vault that is closed to public networks. */
function possible({ plan, network }) {
  return !(plan === "flex" && ["fenced", "private"].includes(network));
}

function combinations(choices) {
  return Object.entries(choices).reduce(
    (lists, [choice, values]) =>
      lists.flatMap((names) => Object.keys(values).map((name) => ({ ...names, [choice]: name }))),
    [{}],
  );
}

function variant(names) {
  let parameters = Object.assign(
    {},
    LEAST,
    ...Object.entries(names).map(([choice, name]) => CHOICES[choice][name]),
  );
  if (names.deployment === "again") {
    parameters = forgetful(names, parameters);
  }
  return {
    name: Object.values(names).join(" "),
    names,
    parameters,
    cloud: names.cloud,
    vault: names.deployment === "again" ? KEPT : {},
  };
}

/** Every combination of the choices above. */
export function matrix() {
  return combinations(CHOICES).filter(possible).map(variant);
}

/** The first of each choice, and variants with each other value and limit of a parameter. */
export function singles(template) {
  const first = Object.fromEntries(
    Object.entries(CHOICES).map(([choice, values]) => [choice, Object.keys(values)[0]]),
  );
  const base = variant(first);
  const chosen = Object.values(CHOICES).flatMap((values) =>
    Object.values(values).flatMap(Object.keys),
  );
  const list = [base];
  const add = (what, parameters) =>
    list.push({
      ...base,
      name: `${base.name}, ${what}`,
      parameters: { ...base.parameters, ...parameters },
    });
  add("a workspace in another subscription", {
    workspaceResourceId: workspaceIn(WORKSPACE_SUBSCRIPTION),
  });
  add("more settings and tags", {
    additionalSettings: { StateContainer: "pod-state" },
    tags: { owner: "soc" },
  });
  add("queue mode on Premium", { hostingPlan: "ElasticPremium", scale: "queue" });
  add("no content", { sentinelContent: false });
  add("watchlists", { watchlists: true });
  add("watchlists without content", { watchlists: true, sentinelContent: false });
  add("tables that rules can't read", { tablePlan: "Basic" });
  add("one table that rules can't read", { tablePlans: { ProofpointPODMailLog_CL: "Basic" } });
  add("a transformation", {
    transformations: { ProofpointPODMailLog_CL: "source | where isnotempty(tostring(sm.stat))" },
  });
  list.push({
    ...base,
    name: `${base.name}, TAP alone`,
    names: { ...base.names, sources: "TAP alone" },
    parameters: { ...base.parameters, ...CHOICES.sources["with TAP"], ...NO_CLUSTER },
  });
  for (const [name, declared] of Object.entries(template.parameters).filter(
    ([name]) => !chosen.includes(name),
  )) {
    const limits = [declared.minValue, declared.maxValue].filter((value) => value !== undefined);
    for (const value of [...(declared.allowedValues ?? []), ...limits]) {
      add(`${name} ${value}`, { [name]: value });
    }
  }
  return list;
}

function contextOf(cloud, group) {
  return {
    cloud: CLOUDS[cloud],
    tenantId: "33333333-3333-3333-3333-333333333333",
    subscriptionId: SUBSCRIPTION,
    group,
    existing: [...[SUBSCRIPTION, WORKSPACE_SUBSCRIPTION].map(workspaceIn), SUBNET],
  };
}

export function evaluateVariant(template, { parameters, cloud }, group = "proofpoint") {
  return deploy(template, parameters, contextOf(cloud, group));
}

/** Why the template refuses the parameters before anything is deployed; undefined if it does not. */
export function refusalOf(template, parameters) {
  try {
    for (const name of ["prefix", "workspace"]) {
      variableOf(template, parameters, contextOf("public", "proofpoint"), name);
    }
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) {
      return error.message.replace(/^.* refuses: /s, "");
    }
    throw error;
  }
}
