// One resource of a deployment: its id, its properties and its dependencies.

import { TemplateError } from "./expression.mjs";
import { agree, path } from "./ids.mjs";
import { memo } from "./memo.mjs";
import { Place } from "./world.mjs";

const DEPLOYMENTS = "microsoft.resources/deployments";

/** One resource, for one iteration of its copy loop. */
export class Instance {
  constructor(deployment, raw, { type, name, pointer, loops }) {
    Object.assign(this, { deployment, raw, type, name, pointer, loops, uses: [] });
    this.apiVersion = raw.apiVersion;
    this.isDeployment = type.toLowerCase() === DEPLOYMENTS;
    if (!agree(type, name)) {
      throw new TemplateError(
        `${pointer}: the type ${type} does not go with the name ${name}: count their segments`,
      );
    }
    this.active = deployment.active && this.early("condition", true);
    if (typeof this.active !== "boolean") {
      throw new TemplateError(`${pointer}.condition is no bool`);
    }
    this.path = path(type, name);
    this.id = `${this.within()}/providers/${this.path}`;
  }

  /** The value of a member that Azure evaluates before the deployment. */
  early(member, otherwise) {
    return member in this.raw
      ? this.deployment.resolve(this.raw[member], this.scope(false), `${this.pointer}.${member}`)
      : otherwise;
  }

  scope(runtime) {
    return this.deployment.scope({ instance: this, loops: this.loops, runtime });
  }

  /** The id of the parent of this resource, or of the resource that it extends. */
  within() {
    if ("scope" in this.raw) {
      const scope = this.early("scope");
      return scope.startsWith("/") ? scope : `${this.deployment.place.id}/providers/${scope}`;
    }
    return this.target.id;
  }

  /** The scope of a nested deployment; for other resources, the scope of the deployment. */
  get target() {
    const { place } = this.deployment;
    if (!this.isDeployment) {
      return place;
    }
    return new Place(
      this.early("subscriptionId", place.subscriptionId),
      this.early("resourceGroup", place.group),
    );
  }

  get inner() {
    return this.raw.properties.expressionEvaluationOptions?.scope?.toLowerCase() === "inner";
  }

  /** The deployment that a nested deployment makes. */
  get child() {
    return memo(this, "openedChild", () => {
      const { template, parameters = {} } = this.raw.properties;
      if (!template) {
        throw new TemplateError(
          `${this.pointer}: only templates within the template can be evaluated`,
        );
      }
      const given = Object.entries(parameters).map(([name, { value }]) => [
        name,
        () =>
          this.deployment.resolve(
            value,
            this.scope(true),
            `${this.pointer}.properties.parameters.${name}`,
          ),
      ]);
      return this.deployment.within(this, template, Object.fromEntries(given));
    });
  }

  /** The resource as it is sent, without members that only the deployment engine reads. */
  get body() {
    return memo(this, "evaluatedBody", () => {
      const { condition, dependsOn, copy, resources, properties, ...rest } = this.raw;
      const body = this.deployment.resolve(rest, this.scope(false), this.pointer);
      if (this.isDeployment) {
        return body;
      }
      const evaluated = this.deployment.resolve(
        properties,
        this.scope(true),
        `${this.pointer}.properties`,
      );
      return {
        ...body,
        type: this.type,
        name: this.name,
        ...(properties && { properties: evaluated }),
      };
    });
  }

  /**
   * The texts in `dependsOn`, each with its resources. `known` is false for a text that names nothing
   * in the template, not even a loop without iterations.
   */
  get dependsOn() {
    return memo(this, "evaluatedDependsOn", () =>
      this.early("dependsOn", []).map((text) => {
        const on = this.deployment.named(text);
        return {
          text,
          on,
          known: on.length > 0 || this.deployment.loopNames.has(text.toLowerCase()),
        };
      }),
    );
  }
}
