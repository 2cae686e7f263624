// createUiDefinition.json, filled in by someone: what its elements show, and what its outputs give
// to the template.

import { ExpressionError, evaluate, isExpression, parse } from "./expression.mjs";
import { FUNCTIONS } from "./functions.mjs";

/** The functions of templates that the portal has under the same name. */
const SHARED = [
  "add",
  "and",
  "bool",
  "coalesce",
  "concat",
  "contains",
  "div",
  "empty",
  "endswith",
  "equals",
  "first",
  "greater",
  "greaterorequals",
  "if",
  "indexof",
  "int",
  "last",
  "lastindexof",
  "length",
  "less",
  "lessorequals",
  "max",
  "min",
  "mod",
  "mul",
  "not",
  "or",
  "range",
  "replace",
  "skip",
  "split",
  "startswith",
  "string",
  "sub",
  "substring",
  "take",
  "tolower",
  "toupper",
];

const of = (least, most, apply) => ({ arity: [least, most], apply });

export const WIZARD_FUNCTIONS = {
  ...Object.fromEntries(SHARED.map((name) => [name, FUNCTIONS[name]])),
  basics: of(1, 1, ([name], { values }) => member(values.basics, name)),
  steps: of(1, 1, ([name], { values }) => member(values, name)),
  location: of(0, 0, (_, { location }) => location),
  resourcegroup: of(0, 0, (_, { location }) => ({ mode: "New", name: "proofpoint", location })),
  subscription: of(0, 0, () => ({ subscriptionId: "11111111-1111-1111-1111-111111111111" })),
  parse: FUNCTIONS.json,
};

function member(values, name) {
  if (!Object.hasOwn(values, name)) {
    throw new ExpressionError(`asks for ${name}, which does not exist`);
  }
  return values[name];
}

/** What each kind of element gives where nobody touches it and it has no default. */
const UNTOUCHED = {
  "Microsoft.Common.CheckBox": false,
  "Microsoft.Common.DropDown": null,
  "Microsoft.Common.InfoBox": null,
  "Microsoft.Common.OptionsGroup": null,
  "Microsoft.Common.PasswordBox": "",
  "Microsoft.Common.TextBlock": null,
  "Microsoft.Common.TextBox": "",
  "Microsoft.Solutions.ResourceSelector": null,
};

/** All elements, as `{step, element, pointer}`; those of the first page are of the step `basics`. */
export function elements(wizard) {
  const { basics, steps } = wizard.parameters;
  const pages = [
    { name: "basics", elements: basics, at: "basics" },
    ...steps.map((step, at) => ({ ...step, at: `steps[${at}]` })),
  ];
  return pages.flatMap(({ name, elements: list, at }) =>
    list.map((element, position) => ({
      step: name,
      element,
      pointer: `$.parameters.${at}.elements[${position}]`,
    })),
  );
}

/** The values that someone can choose from. */
export function options({ constraints }) {
  return (constraints?.allowedValues ?? []).map(({ value }) => value);
}

/** The value of an element that nobody touches. A default names its option by the label. */
function untouched(element) {
  if (!(element.type in UNTOUCHED)) {
    throw new ExpressionError(
      `the type ${element.type} of the element ${element.name} is not known to wizard.mjs`,
    );
  }
  if (element.defaultValue === undefined) {
    return UNTOUCHED[element.type];
  }
  if (!element.constraints?.allowedValues) {
    return element.defaultValue;
  }
  const values = [element.defaultValue].flat().map((label) => {
    const option = element.constraints.allowedValues.find((each) => each.label === label);
    if (!option) {
      throw new ExpressionError(
        `the default ${label} of the element ${element.name} is the label of none of its options`,
      );
    }
    return option.value;
  });
  return element.multiselect ? values : values[0];
}

function valueIn(text, scope) {
  return typeof text === "string" && isExpression(text) ? evaluate(parse(text), scope) : text;
}

/**
 * The outputs for `answers`, by step and element; what is not answered keeps its default. The portal
 * gives no value for an element that is hidden, and may give none for an empty one: with `sparse`
 * neither has a value, without it both have.
 */
export function outputs(wizard, answers, { location, sparse }) {
  const list = elements(wizard);
  const values = Object.fromEntries(list.map(({ step }) => [step, {}]));
  for (const { step, element } of list) {
    values[step][element.name] = answers[step]?.[element.name] ?? untouched(element);
  }
  const scope = {
    values,
    location,
    words: { true: true, false: false, null: null },
    find: (name) => WIZARD_FUNCTIONS[name],
  };
  const hidden = new Set();
  // A hidden element may hide the next.
  for (let before = -1; before < hidden.size; ) {
    before = hidden.size;
    for (const { step, element } of list) {
      within(`${step}.${element.name}`, () => {
        if (!valueIn(element.visible ?? true, scope)) {
          hidden.add(element);
          values[step][element.name] = sparse ? null : values[step][element.name];
        } else if (sparse && values[step][element.name] === "") {
          values[step][element.name] = null;
        }
        if (!hidden.has(element)) {
          check(element, values[step][element.name], scope);
        }
      });
    }
  }
  return Object.fromEntries(
    Object.entries(wizard.parameters.outputs).map(([name, text]) => [
      name,
      within(`outputs.${name}`, () => valueIn(text, scope)),
    ]),
  );
}

/** An answer that the wizard would not take. */
export class Refused extends Error {}

function check(element, value, scope) {
  const { required, regex, validations = [] } = element.constraints ?? {};
  const isUnticked = element.type === "Microsoft.Common.CheckBox" && value === false;
  const empty =
    isUnticked || value === null || value === "" || (Array.isArray(value) && value.length === 0);
  if (valueIn(required ?? false, scope) && empty) {
    throw new Refused(`${element.name} is required`);
  }
  for (const { regex: pattern, isValid } of [{ regex }, ...validations]) {
    if (pattern && !empty && !compiled(pattern).test(value)) {
      throw new Refused(`${element.name} does not take ${value}`);
    }
    if (isValid && valueIn(isValid, scope) === false && !empty) {
      throw new Refused(`${element.name} does not take ${value}`);
    }
  }
}

const patterns = new Map();

function compiled(pattern) {
  return patterns.get(pattern) ?? patterns.set(pattern, new RegExp(pattern)).get(pattern);
}

function within(what, act) {
  try {
    return act();
  } catch (error) {
    if (error instanceof ExpressionError) {
      throw new ExpressionError(`createUiDefinition.json, ${what}: ${error.message}`);
    }
    throw error;
  }
}
