// Parameters of a template: the given value or the default, with the type and within the limits that
// the template declares.

import { describe, ExpressionError } from "./expression.mjs";

const TYPES = {
  string: "string",
  securestring: "string",
  int: "int",
  bool: "bool",
  array: "array",
  object: "object",
  secureobject: "object",
};

export function isSecure(declared) {
  return declared.type.toLowerCase().startsWith("secure");
}

/** `given` and `byDefault` are functions, which are called when their value is needed. */
export function parameterValue(name, declared, given, byDefault) {
  if (!given && !("defaultValue" in declared)) {
    throw new ExpressionError(
      `asks for the parameter ${name}, which has neither a value nor a default`,
    );
  }
  const value = given ? given() : byDefault();
  const fault = faultOf(value, declared);
  if (fault) {
    throw new ExpressionError(`gives the parameter ${name} ${fault}`);
  }
  return value;
}

/** The error of a value; undefined if it is valid. */
export function faultOf(value, declared) {
  const type = TYPES[declared.type.toLowerCase()];
  if (!type) {
    return `the type ${declared.type}, which does not exist`;
  }
  if (describe(value) !== type) {
    return `a value of the type ${describe(value)}, where it wants ${declared.type}`;
  }
  if (declared.allowedValues && !declared.allowedValues.includes(value)) {
    return `the value ${JSON.stringify(value)}, which is none of ${declared.allowedValues.join(", ")}`;
  }
  const { length } = value;
  if (length < declared.minLength || length > declared.maxLength) {
    return `a value of length ${length}, where it wants ${declared.minLength ?? 0} to ${declared.maxLength ?? "any"}`;
  }
  if (value < declared.minValue || value > declared.maxValue) {
    return `the value ${value}, where it wants ${declared.minValue ?? "any"} to ${declared.maxValue ?? "any"}`;
  }
  return undefined;
}
