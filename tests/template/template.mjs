// Evaluates an ARM template as a deployment would, including nested deployments: which resources are
// deployed, with which names and properties, and in which order. A resource's properties are evaluated
// on first use, so that reference() can read them.

import { DEPLOYMENT_FUNCTIONS } from "./deployment_functions.mjs";
import {
  ExpressionError,
  evaluate,
  isExpression,
  literal,
  parse,
  TemplateError,
} from "./expression.mjs";
import { FUNCTIONS } from "./functions.mjs";
import { Instance } from "./instance.mjs";
import { memo, memoIn } from "./memo.mjs";
import { parameterValue } from "./parameters.mjs";
import { Place, World } from "./world.mjs";

class Deployment {
  /** `owner` is the resource of a nested deployment. */
  constructor(world, { template, name, place, given, pointer, active, owner }) {
    Object.assign(this, {
      world,
      template,
      name,
      place,
      given,
      pointer,
      active,
      owner,
      instances: [],
    });
    this.loopNames = new Set();
    this.parameters = new Map();
    this.variables = new Map();
    const unknown = Object.keys(given).filter(
      (name) => !Object.hasOwn(template.parameters ?? {}, name),
    );
    if (unknown.length > 0) {
      throw new TemplateError(`${pointer} has no parameter ${unknown.join(", ")}`);
    }
  }

  /** The deployment whose parameters, variables and resource group expressions use. */
  get home() {
    return this.owner && !this.owner.inner ? this.owner.deployment.home : this;
  }

  scope(more) {
    const outer = this.home === this ? {} : this.owner.scope(false);
    return {
      ...outer,
      deployment: this,
      find: findFunction,
      ...more,
      loops: { ...outer.loops, ...more.loops },
    };
  }

  /** The deployment that a nested deployment makes. */
  within(owner, template, given) {
    const { name, target: place, pointer, active } = owner;
    const own = {
      template,
      name,
      place,
      given,
      active,
      owner,
      pointer: `${pointer}.properties.template`,
    };
    const child = new Deployment(this.world, own);
    child.expand();
    return child;
  }

  expand() {
    if (!Array.isArray(this.template.resources)) {
      throw new TemplateError(
        `${this.pointer}.resources is no list; symbolic names are not evaluated`,
      );
    }
    this.expandAll(this.template.resources, `${this.pointer}.resources`, {
      type: [],
      name: [],
      loops: {},
    });
    for (const instance of this.instances) {
      this.world.add(instance);
    }
  }

  expandAll(resources, pointer, parent) {
    resources.forEach((raw, position) => {
      const at = `${pointer}[${position}]`;
      for (const loops of this.rounds(raw.copy, parent.loops, at)) {
        const name = this.resolve(raw.name, this.scope({ loops, runtime: false }), `${at}.name`);
        const full = {
          type: [...parent.type, raw.type].join("/"),
          name: [...parent.name, name].join("/"),
          pointer: at,
          loops,
        };
        this.instances.push(new Instance(this, raw, full));
        const own = { type: [full.type], name: [full.name], loops };
        this.expandAll(raw.resources ?? [], `${at}.resources`, own);
      }
    });
  }

  /** The loop variables of each iteration of a copy loop; one iteration without a loop. */
  rounds(copy, loops, pointer) {
    if (!copy) {
      return [loops];
    }
    this.loopNames.add(copy.name.toLowerCase());
    const count = this.resolve(
      copy.count,
      this.scope({ loops, runtime: false }),
      `${pointer}.copy.count`,
    );
    if (!Number.isInteger(count) || count < 0 || count > 800) {
      throw new TemplateError(`${pointer}.copy.count is ${JSON.stringify(count)}, not 0 to 800`);
    }
    return Array.from({ length: count }, (_, round) => ({
      ...loops,
      [copy.name]: round,
      "": round,
    }));
  }

  /** The resources of this template with a name, an id or the name of a copy loop. */
  named(text) {
    this.names ??= this.instances.reduce((names, instance) => {
      const own = [instance.id, instance.name, instance.path, instance.raw.copy?.name];
      for (const name of new Set(own.filter(Boolean).map((each) => each.toLowerCase()))) {
        names.set(name, [...(names.get(name) ?? []), instance]);
      }
      return names;
    }, new Map());
    return this.names.get(text.toLowerCase()) ?? [];
  }

  parameter(name) {
    return memoIn(this.parameters, name, `parameter ${name}`, () => {
      const declared = this.template.parameters?.[name];
      if (!declared) {
        throw new ExpressionError(`asks for the parameter ${name}, which does not exist`);
      }
      return parameterValue(name, declared, this.given[name], () =>
        this.resolve(
          declared.defaultValue,
          this.scope({ runtime: false, defaults: true }),
          `${this.pointer}.parameters.${name}.defaultValue`,
        ),
      );
    });
  }

  variable(name) {
    return memoIn(this.variables, name, `variable ${name}`, () => {
      const variables = this.template.variables ?? {};
      const scope = this.scope({ runtime: false });
      const pointer = `${this.pointer}.variables.${name}`;
      if (Object.hasOwn(variables, name) && name !== "copy") {
        return this.resolve(variables[name], scope, pointer);
      }
      const loop = variables.copy?.find((each) => each.name === name);
      if (!loop) {
        throw new ExpressionError(`asks for the variable ${name}, which does not exist`);
      }
      return this.repeated(loop, scope, pointer);
    });
  }

  /** The values of a loop in a property, a variable or an output. */
  repeated({ name, count, input }, scope, pointer) {
    return this.rounds({ name, count }, scope.loops, pointer).map((loops) =>
      this.resolve(input, { ...scope, loops: { ...scope.loops, ...loops } }, `${pointer}.input`),
    );
  }

  get outputs() {
    return memo(this, "evaluatedOutputs", () => {
      const outputs = {};
      // Azure evaluates the expressions of an outer scope before it deploys anything of it.
      const runtime = this.home === this;
      for (const [name, output] of Object.entries(this.template.outputs ?? {})) {
        const pointer = `${this.pointer}.outputs.${name}`;
        if (
          output.condition === undefined ||
          this.resolve(output.condition, this.scope({ runtime: false }), pointer)
        ) {
          const scope = this.scope({ runtime, instance: { active: this.active, uses: [] } });
          const value = output.copy
            ? this.repeated({ name, ...output.copy }, scope, pointer)
            : this.resolve(output.value, scope, pointer);
          outputs[name] = { type: output.type, value };
        }
      }
      return outputs;
    });
  }

  /** A JSON value with its expressions evaluated; `pointer` is its position. */
  resolve(value, scope, pointer) {
    if (typeof value === "string") {
      return isExpression(value) ? this.evaluated(value, scope, pointer) : literal(value);
    }
    if (Array.isArray(value)) {
      return value.map((item, at) => this.resolve(item, scope, `${pointer}[${at}]`));
    }
    if (value === null || typeof value !== "object") {
      return value;
    }
    const resolved = {};
    for (const [key, member] of Object.entries(value)) {
      if (key === "copy" && Array.isArray(member)) {
        for (const loop of member) {
          resolved[loop.name] = this.repeated(loop, scope, `${pointer}.${loop.name}`);
        }
      } else {
        resolved[this.resolve(key, scope, pointer)] = this.resolve(
          member,
          scope,
          `${pointer}.${key}`,
        );
      }
    }
    return resolved;
  }

  evaluated(text, scope, pointer) {
    try {
      return evaluate(parse(text), scope);
    } catch (error) {
      if (error instanceof ExpressionError) {
        throw new TemplateError(`${pointer}: ${text} ${error.message}`, { cause: error });
      }
      throw error;
    }
  }
}

function findFunction(name) {
  if (Object.hasOwn(DEPLOYMENT_FUNCTIONS, name)) {
    return DEPLOYMENT_FUNCTIONS[name];
  }
  if (Object.hasOwn(FUNCTIONS, name)) {
    return FUNCTIONS[name];
  }
  return name.startsWith("list") ? DEPLOYMENT_FUNCTIONS["list*"](name) : undefined;
}

function opened(template, parameters, context) {
  return new Deployment(new World(context), {
    template,
    name: "azuredeploy",
    place: new Place(context.subscriptionId, context.group),
    given: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, () => value]),
    ),
    pointer: "$",
    active: true,
  });
}

/** The value of a variable, which Azure finds before it deploys anything. */
export function variableOf(template, parameters, context, name) {
  return opened(template, parameters, context).variable(name);
}

/**
 * Simulates a deployment of `template`. `context`: `cloud` of azure.mjs, `tenantId`, `subscriptionId`,
 * `group`, `existing`, the ids of existing resources, and `groups`, the ids of resource groups that
 * Azure keeps in other letter case than the deployment has them.
 */
export function deploy(template, parameters, context) {
  const deployment = opened(template, parameters, context);
  const { world } = deployment;
  deployment.expand();
  const instances = world.all();
  const nested = instances
    .filter((instance) => instance.isDeployment)
    .map((instance) => instance.child);
  // Values that nothing has read yet can fail too.
  for (const each of [deployment, ...nested]) {
    Object.keys(each.template.parameters ?? {}).forEach((name) => each.parameter(name));
    Object.keys(each.home.template.variables ?? {})
      .filter((name) => name !== "copy")
      .forEach((name) => each.home.variable(name));
    each.instances.forEach((instance) => [instance.body, instance.dependsOn]);
    each.outputs;
  }
  return { deployment, world, instances, outputs: deployment.outputs };
}
