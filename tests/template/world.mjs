// Where a deployment runs, and all that is deployed there.

import { environment } from "./azure.mjs";
import { TemplateError } from "./expression.mjs";
import { identify } from "./ids.mjs";

/** What a deployment runs in, and all that it and its nested deployments deploy. */
export class World {
  constructor({ cloud, tenantId, existing, groups = [] }) {
    Object.assign(this, { cloud, tenantId, environment: environment(cloud) });
    this.existing = new Map(existing.map((id) => [id.toLowerCase(), identify(id)]));
    this.groups = new Map(groups.map((id) => [id.toLowerCase(), id]));
    this.instances = new Map();
    this.unopened = [];
    this.secrets = new Set();
  }

  /** The id of a resource group as Azure keeps it, however the deployment spells it. */
  groupId({ id }) {
    return this.groups.get(id.toLowerCase()) ?? id;
  }

  add(instance) {
    const key = instance.id.toLowerCase();
    if (this.instances.has(key) && instance.active && this.instances.get(key).active) {
      throw new TemplateError(`${instance.pointer}: ${instance.id} is deployed twice`);
    }
    if (!this.instances.get(key)?.active) {
      this.instances.set(key, instance);
    }
    if (instance.isDeployment) {
      this.unopened.push(instance);
    }
  }

  /** A resource that is deployed somewhere, nested deployments included. */
  find(id) {
    const key = id.toLowerCase();
    while (!this.instances.has(key) && this.unopened.length > 0) {
      this.unopened.shift().child;
    }
    return this.instances.get(key);
  }

  all() {
    while (this.unopened.length > 0) {
      this.unopened.shift().child;
    }
    return [...this.instances.values()];
  }
}

export class Place {
  constructor(subscriptionId, group) {
    Object.assign(this, { subscriptionId, group });
    this.id = `/subscriptions/${subscriptionId}/resourceGroups/${group}`;
  }
}
