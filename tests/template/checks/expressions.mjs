// Every expression of a template parses, and calls existing functions with the right number of
// arguments, even if no parameters lead to it.

import { DEPLOYMENT_FUNCTIONS } from "../deployment_functions.mjs";
import { ExpressionError, isExpression, parse, walk } from "../expression.mjs";
import { FUNCTIONS } from "../functions.mjs";

/**
 * Calls `visit(text, pointer, home)` with every text and key of a template. `home` is the template
 * whose parameters and variables the expressions use: the nested template if its scope is inner.
 */
export function texts(template, visit, pointer = "$", home = template) {
  if (typeof template === "string") {
    visit(template, pointer, home);
    return;
  }
  for (const [key, value] of Object.entries(template ?? {})) {
    const at = Array.isArray(template) ? `${pointer}[${key}]` : `${pointer}.${key}`;
    if (!Array.isArray(template)) {
      visit(key, at, home);
    }
    const inner = template.expressionEvaluationOptions?.scope?.toLowerCase() === "inner";
    const starts = key === "template" && inner && value?.resources;
    texts(value, visit, at, starts ? value : home);
  }
}

/** Calls `visit(tree, text, pointer, home)` with every expression that parses. */
export function expressions(template, visit) {
  texts(template, (text, pointer, home) => {
    if (isExpression(text)) {
      visit(text, pointer, home);
    }
  });
}

function isDescription(pointer) {
  return pointer.includes(".metadata.");
}

function functionNamed(name) {
  return (
    FUNCTIONS[name] ??
    DEPLOYMENT_FUNCTIONS[name] ??
    (name.startsWith("list") ? { arity: [2, 3] } : undefined)
  );
}

export function expressionFindings({ template }) {
  const findings = [];
  expressions(template, (text, pointer) => {
    if (isDescription(pointer)) {
      findings.push(`${pointer} looks like an expression: ${text}`);
      return;
    }
    try {
      walk(parse(text), (node) => {
        if (node.word) {
          findings.push(`${pointer}: ${text} has the word ${node.word}, which is no call`);
        }
        const called =
          node.call && node.call !== "lambda" && functionNamed(node.call.toLowerCase());
        if (node.call && node.call !== "lambda" && !called) {
          findings.push(`${pointer}: ${text} calls ${node.call}(), which is not known`);
        } else if (
          called &&
          (node.args.length < called.arity[0] || node.args.length > called.arity[1])
        ) {
          findings.push(
            `${pointer}: ${text} calls ${node.call}() with ${node.args.length} arguments`,
          );
        }
      });
    } catch (error) {
      if (!(error instanceof ExpressionError)) {
        throw error;
      }
      findings.push(`${pointer}: ${text} ${error.message}`);
    }
  });
  texts(template, (text, pointer) => {
    const half = text.startsWith("[") !== text.endsWith("]") && /[[\]]/.test(text[0] + text.at(-1));
    if (half && !isDescription(pointer) && /\(.*\)/.test(text)) {
      findings.push(`${pointer} has only one of an expression's brackets: ${text}`);
    }
  });
  return findings;
}

/** Used parameters and variables exist, and existing ones are used. */
export function usageFindings({ template }) {
  const findings = [];
  const used = new Map();
  const usedOf = (home) =>
    used.get(home) ?? used.set(home, { parameters: new Set(), variables: new Set() }).get(home);
  usedOf(template);
  expressions(template, (text, pointer, home) => {
    let tree;
    try {
      tree = parse(text);
    } catch {
      return;
    }
    walk(tree, ({ call, args }) => {
      const kind = call?.toLowerCase();
      if (kind !== "parameters" && kind !== "variables") {
        return;
      }
      if (typeof args[0]?.literal !== "string") {
        findings.push(`${pointer}: ${text} calls ${call}() with a name that is computed`);
        return;
      }
      const name = args[0].literal;
      if (!declared(home, kind).includes(name)) {
        findings.push(`${pointer}: ${text} asks for ${kind} ${name}, which does not exist`);
      }
      usedOf(home)[kind].add(name);
    });
  });
  for (const [home, { parameters, variables }] of used) {
    const unused = (kind, names) =>
      declared(home, kind)
        .filter((name) => !names.has(name))
        .map((name) => `${kind}.${name} is used nowhere`);
    findings.push(...unused("parameters", parameters), ...unused("variables", variables));
  }
  return findings;
}

function declared(template, kind) {
  const members = template[kind] ?? {};
  const own = Object.keys(members).filter((name) => kind === "parameters" || name !== "copy");
  return [...own, ...(kind === "variables" ? (members.copy ?? []) : []).map((loop) => loop.name)];
}
