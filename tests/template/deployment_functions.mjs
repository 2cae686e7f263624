// The functions of ARM templates that depend on the deployment: on its parameters, its scope and other
// resources.

import { randomUUID } from "node:crypto";

import { listed, properties, whole } from "./azure.mjs";
import { ExpressionError } from "./expression.mjs";
import { identify, path } from "./ids.mjs";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const of = (least, most, apply) => ({ arity: [least, most], apply });

function texts(name, values) {
  const bad = values.find((value) => typeof value !== "string" || value === "");
  if (bad !== undefined) {
    throw new ExpressionError(`gives ${name}() the part ${JSON.stringify(bad)}`);
  }
  return values;
}

/** Combines `type` and names. Each segment of the type except the first has one name. */
function typed(name, [type, ...names]) {
  const wanted = type.split("/").length - 1;
  if (!type.includes("/") || names.length !== wanted || names.some((part) => part.includes("/"))) {
    throw new ExpressionError(
      `gives ${name}() ${names.length} names for the type ${type}, which has ${wanted}`,
    );
  }
  return `/providers/${path(type, names.join("/"))}`;
}

/** Splits the arguments of resourceId() at the type, which is the first with a slash in it. */
function beforeType(name, values, most) {
  const at = texts(name, values).findIndex((value) => value.includes("/"));
  if (at < 0 || at > most) {
    throw new ExpressionError(
      `gives ${name}() no type of a resource among its first ${most + 1} arguments`,
    );
  }
  return [values.slice(0, at), values.slice(at)];
}

function resourceId(values, scope) {
  const [before, rest] = beforeType("resourceId", values, 2);
  const { place } = scope.deployment.home;
  const group = before.at(-1) ?? place.group;
  const subscription = before.length === 2 ? before[0] : place.subscriptionId;
  if (!GUID.test(subscription)) {
    throw new ExpressionError(`gives resourceId() ${subscription} for a subscription`);
  }
  return `/subscriptions/${subscription}/resourceGroups/${group}${typed("resourceId", rest)}`;
}

function subscriptionResourceId(values, scope) {
  const [before, rest] = beforeType("subscriptionResourceId", values, 1);
  const subscription = before[0] ?? scope.deployment.home.place.subscriptionId;
  return `/subscriptions/${subscription}${typed("subscriptionResourceId", rest)}`;
}

function extensionResourceId(values) {
  const [base, ...rest] = texts("extensionResourceId", values);
  if (!/^\/subscriptions\/[^/]+/i.test(base)) {
    throw new ExpressionError(
      `gives extensionResourceId() ${JSON.stringify(base)} for the id of its base`,
    );
  }
  return base + typed("extensionResourceId", rest);
}

function subscription(scope) {
  const { subscriptionId } = scope.deployment.home.place;
  return {
    id: `/subscriptions/${subscriptionId}`,
    subscriptionId,
    tenantId: scope.deployment.world.tenantId,
    displayName: "Production",
  };
}

function resourceGroup(scope) {
  const { deployment } = scope;
  const id = deployment.world.groupId(deployment.home.place);
  return {
    id,
    name: id.split("/").at(-1),
    type: "Microsoft.Resources/resourceGroups",
    location: deployment.world.cloud.location,
    tags: {},
    properties: { provisioningState: "Succeeded" },
  };
}

function copyIndex(values, scope) {
  const name = typeof values[0] === "string" ? values[0] : "";
  const offset = values.find((value) => typeof value === "number") ?? 0;
  if (!Object.hasOwn(scope.loops, name)) {
    throw new ExpressionError(`calls copyIndex(${name}) outside of such a loop`);
  }
  return scope.loops[name] + offset;
}

/** The resource that reference() or list...() reads. It must be deployed or exist already. */
function asked(name, [text, apiVersion], scope) {
  if (!scope.runtime) {
    throw new ExpressionError(`calls ${name}() where nothing is deployed yet`);
  }
  texts(name, [text]);
  const { deployment, instance } = scope;
  const target = text.includes("/") ? deployment.world.find(text) : deployment.named(text)[0];
  if (target && (target.active || !instance.active)) {
    if (target.deployment !== deployment && !apiVersion) {
      throw new ExpressionError(
        `calls ${name}() without an API version for ${text}, which this template does not deploy`,
      );
    }
    instance.uses.push({ name, target });
    return { ...known(target), apiVersion: apiVersion ?? target.apiVersion };
  }
  const existing = deployment.world.existing.get(text.toLowerCase());
  if (!existing) {
    identify(text);
    throw new ExpressionError(
      `calls ${name}() for ${text}, which is neither deployed nor there already`,
    );
  }
  if (!apiVersion) {
    throw new ExpressionError(
      `calls ${name}() without an API version for ${text}, which this template does not deploy`,
    );
  }
  return { ...existing, apiVersion };
}

function known(instance) {
  return {
    id: instance.id,
    type: instance.type,
    name: instance.name,
    body: instance.body,
    instance,
  };
}

function reference(values, scope) {
  const resource = asked("reference", values, scope);
  const full = values[2]?.toLowerCase();
  if (![undefined, "full", "properties"].includes(full)) {
    throw new ExpressionError(`calls reference() with ${values[2]} for its third argument`);
  }
  if (resource.instance?.isDeployment) {
    const { outputs } = resource.instance.child;
    return full === "full" ? { properties: { outputs } } : { outputs };
  }
  const { world } = scope.deployment;
  return full === "full" ? whole(resource, world) : properties(resource, world);
}

function list(name) {
  return of(2, 3, (values, scope) =>
    listed(name, asked(name, values, scope), scope.deployment.world),
  );
}

function inDefaultsOnly(name, apply) {
  return of(0, 1, (_values, scope) => {
    if (!scope.defaults) {
      throw new ExpressionError(`calls ${name}() elsewhere than in a parameter's default`);
    }
    return apply();
  });
}

export const DEPLOYMENT_FUNCTIONS = {
  parameters: of(1, 1, ([name], scope) => scope.deployment.home.parameter(name)),
  variables: of(1, 1, ([name], scope) => scope.deployment.home.variable(name)),
  deployment: of(0, 0, (_, { deployment: { home } }) => ({
    name: home.name,
    properties: { mode: "Incremental", template: { contentVersion: home.template.contentVersion } },
  })),
  environment: of(0, 0, (_, scope) => scope.deployment.world.environment),
  subscription: of(0, 0, (_, scope) => subscription(scope)),
  resourcegroup: of(0, 0, (_, scope) => resourceGroup(scope)),
  tenant: of(0, 0, (_, scope) => ({ tenantId: scope.deployment.world.tenantId })),
  resourceid: of(2, Infinity, resourceId),
  subscriptionresourceid: of(2, Infinity, subscriptionResourceId),
  tenantresourceid: of(2, Infinity, (values) =>
    typed("tenantResourceId", texts("tenantResourceId", values)),
  ),
  extensionresourceid: of(3, Infinity, extensionResourceId),
  copyindex: of(0, 2, copyIndex),
  newguid: inDefaultsOnly("newGuid", randomUUID),
  utcnow: inDefaultsOnly("utcNow", () => new Date().toISOString()),
  reference: of(1, 3, reference),
  "list*": list,
};
