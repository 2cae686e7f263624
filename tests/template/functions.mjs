// The functions of ARM templates that depend only on their arguments, by name in lower case. Any other
// function is an error, so that nothing is evaluated by guess.

import { createHash } from "node:crypto";

import { describe, ExpressionError, evaluate, findKey } from "./expression.mjs";

const MANY = Number.POSITIVE_INFINITY;

function refuse(name, value) {
  throw new ExpressionError(`gives ${name}() a value of the type ${describe(value)}`);
}

function text(name, value) {
  return typeof value === "string" ? value : refuse(name, value);
}

function integer(name, value) {
  return Number.isInteger(value) ? value : refuse(name, value);
}

function list(name, value) {
  return Array.isArray(value) ? value : refuse(name, value);
}

function flag(name, value) {
  return typeof value === "boolean" ? value : refuse(name, value);
}

function isObject(value) {
  return describe(value) === "object";
}

/** The text of a value in `string()` and text templates. */
function asText(value) {
  if (typeof value === "string") {
    return value;
  }
  if (typeof value === "boolean") {
    return value ? "True" : "False";
  }
  return JSON.stringify(value);
}

/** Equality as in Azure: texts are case-sensitive, property names are not. */
function same(left, right) {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, at) => same(item, right[at]));
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => {
        const other = findKey(right, key);
        return other !== undefined && same(left[key], right[other]);
      })
    );
  }
  return left === right;
}

function merged(left, right) {
  const result = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const own = findKey(result, key) ?? key;
    result[own] = isObject(result[own]) && isObject(value) ? merged(result[own], value) : value;
  }
  return result;
}

function unique(items) {
  return items.filter((item, at) => items.findIndex((other) => same(other, item)) === at);
}

/** A name-based GUID in the name space that Azure's `guid()` uses. */
function guid(parts) {
  const space = Buffer.from("11fb06fb712d4ddd98c7e71bbd588830", "hex");
  const hash = createHash("sha1").update(space).update(parts.join("-")).digest();
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** A value in the form and alphabet of Azure's `uniqueString()`, whose hash is not published. */
function uniqueString(parts) {
  const hash = createHash("sha256").update(parts.join("-")).digest();
  return [...hash.subarray(0, 13)]
    .map((byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte % 32])
    .join("");
}

/** .NET's composite format, only with argument numbers. */
function format(pattern, values) {
  return text("format", pattern).replace(/\{\{|\}\}|\{(\d+)\}|[{}]/g, (found, position) => {
    if (found === "{{" || found === "}}") {
      return found[0];
    }
    if (position === undefined || Number(position) >= values.length) {
      throw new ExpressionError(
        `gives format() no value for ${found} of ${JSON.stringify(pattern)}`,
      );
    }
    return asText(values[Number(position)]);
  });
}

function concat(values) {
  if (values.every(Array.isArray)) {
    return values.flat();
  }
  const bad = values.find((value) => value === null || typeof value === "object");
  return bad === undefined ? values.map(asText).join("") : refuse("concat", bad);
}

function sized(name, value) {
  if (typeof value === "string" || Array.isArray(value)) {
    return value.length;
  }
  return isObject(value) ? Object.keys(value).length : refuse(name, value);
}

function contains([container, item]) {
  if (typeof container === "string") {
    return container.includes(asText(item));
  }
  if (Array.isArray(container)) {
    return container.some((other) => same(other, item));
  }
  return isObject(container)
    ? findKey(container, item) !== undefined
    : refuse("contains", container);
}

function part(name, value, from, to) {
  return typeof value === "string" || Array.isArray(value)
    ? value.slice(from, to)
    : refuse(name, value);
}

function substring([whole, start, length]) {
  const from = integer("substring", start);
  const end =
    length === undefined ? text("substring", whole).length : from + integer("substring", length);
  if (from < 0 || end < from || end > text("substring", whole).length) {
    throw new ExpressionError(`asks substring() for ${from} to ${end} of ${JSON.stringify(whole)}`);
  }
  return whole.slice(from, end);
}

function split([whole, delimiters]) {
  let pieces = [text("split", whole)];
  for (const delimiter of [delimiters].flat()) {
    pieces = pieces.flatMap((piece) => piece.split(text("split", delimiter)));
  }
  return pieces;
}

function union(values) {
  if (values.every(Array.isArray)) {
    return unique(values.flat());
  }
  return values.every(isObject) ? values.reduce(merged) : refuse("union", values[1]);
}

function intersection([first, ...others]) {
  if (Array.isArray(first)) {
    return unique(first).filter((item) => others.every((other) => contains([other, item])));
  }
  const kept = Object.entries(first).filter(([key, value]) =>
    others.every((other) => contains([other, key]) && same(other[findKey(other, key)], value)),
  );
  return Object.fromEntries(kept);
}

function compared(name, decide) {
  return {
    arity: [2, 2],
    apply: ([left, right]) => {
      if (typeof left === typeof right && (Number.isInteger(left) || typeof left === "string")) {
        return decide(left, right);
      }
      return refuse(name, right);
    },
  };
}

function calculated(name, decide) {
  return {
    arity: [2, 2],
    apply: (values) => Math.trunc(decide(...values.map((value) => integer(name, value)))),
  };
}

function parsedJson(value) {
  try {
    return JSON.parse(text("json", value));
  } catch {
    throw new ExpressionError(`gives json() what is no JSON: ${value}`);
  }
}

/** Calls a `lambda()` with values for its parameters. */
function lambdaOf(tree, scope) {
  if (tree.call?.toLowerCase() !== "lambda") {
    throw new ExpressionError("lacks a lambda()");
  }
  const names = tree.args.slice(0, -1).map((name) => name.literal);
  return (...values) => {
    const bound = names.map((name, at) => [name, values[at]]);
    const variables = { ...scope.lambdaVariables, ...Object.fromEntries(bound) };
    return evaluate(
      tree.args.at(-1),
      Object.assign(Object.create(scope), { lambdaVariables: variables }),
    );
  };
}

function withLambda(name, least, most, apply) {
  return {
    arity: [least, most],
    lazy: ([subject, ...rest], scope) => apply(list(name, evaluate(subject, scope)), rest, scope),
  };
}

function lambdaVariable([name], scope) {
  if (!Object.hasOwn(scope.lambdaVariables ?? {}, name)) {
    throw new ExpressionError(`asks for the lambda variable ${name}, which is not bound`);
  }
  return scope.lambdaVariables[name];
}

const of = (least, most, apply) => ({ arity: [least, most], apply });

export const FUNCTIONS = {
  // Logic
  true: of(0, 0, () => true),
  false: of(0, 0, () => false),
  null: of(0, 0, () => null),
  not: of(1, 1, ([value]) => !flag("not", value)),
  and: of(2, MANY, (values) => values.map((value) => flag("and", value)).every(Boolean)),
  or: of(2, MANY, (values) => values.map((value) => flag("or", value)).some(Boolean)),
  if: {
    arity: [3, 3],
    lazy: ([condition, yes, no], scope) =>
      evaluate(flag("if", evaluate(condition, scope)) ? yes : no, scope),
  },
  fail: of(1, 1, ([message]) => {
    throw new ExpressionError(`refuses: ${text("fail", message)}`);
  }),
  bool: of(1, 1, ([value]) =>
    typeof value === "string" ? value.toLowerCase() === "true" : Boolean(value),
  ),
  equals: of(2, 2, ([left, right]) => same(left, right)),
  coalesce: of(1, MANY, (values) => values.find((value) => value !== null) ?? null),
  greater: compared("greater", (left, right) => left > right),
  greaterorequals: compared("greaterOrEquals", (left, right) => left >= right),
  less: compared("less", (left, right) => left < right),
  lessorequals: compared("lessOrEquals", (left, right) => left <= right),

  // Numbers
  add: calculated("add", (left, right) => left + right),
  sub: calculated("sub", (left, right) => left - right),
  mul: calculated("mul", (left, right) => left * right),
  div: calculated("div", (left, right) => left / right),
  mod: calculated("mod", (left, right) => left % right),
  int: of(1, 1, ([value]) => (/^-?\d+$/.test(value) ? Number(value) : refuse("int", value))),
  max: of(1, MANY, (values) => Math.max(...values.flat().map((value) => integer("max", value)))),
  min: of(1, MANY, (values) => Math.min(...values.flat().map((value) => integer("min", value)))),

  // Text
  concat: of(1, MANY, concat),
  format: of(1, MANY, ([pattern, ...values]) => format(pattern, values)),
  string: of(1, 1, ([value]) => asText(value)),
  tolower: of(1, 1, ([value]) => text("toLower", value).toLowerCase()),
  toupper: of(1, 1, ([value]) => text("toUpper", value).toUpperCase()),
  trim: of(1, 1, ([value]) => text("trim", value).trim()),
  replace: of(3, 3, ([whole, old, fresh]) =>
    text("replace", whole).replaceAll(text("replace", old), () => text("replace", fresh)),
  ),
  substring: of(2, 3, substring),
  split: of(2, 2, split),
  join: of(2, 2, ([items, between]) => list("join", items).map(asText).join(text("join", between))),
  startswith: of(2, 2, ([whole, start]) =>
    text("startsWith", whole).toLowerCase().startsWith(text("startsWith", start).toLowerCase()),
  ),
  endswith: of(2, 2, ([whole, end]) =>
    text("endsWith", whole).toLowerCase().endsWith(text("endsWith", end).toLowerCase()),
  ),
  padleft: of(2, 3, ([value, width, fill]) =>
    asText(value).padStart(integer("padLeft", width), fill ?? " "),
  ),
  base64: of(1, 1, ([value]) => Buffer.from(text("base64", value)).toString("base64")),
  base64tostring: of(1, 1, ([value]) =>
    Buffer.from(text("base64ToString", value), "base64").toString(),
  ),
  uricomponent: of(1, 1, ([value]) => encodeURIComponent(text("uriComponent", value))),
  uricomponenttostring: of(1, 1, ([value]) =>
    decodeURIComponent(text("uriComponentToString", value)),
  ),
  uri: of(2, 2, ([base, relative]) => new URL(text("uri", relative), text("uri", base)).href),
  json: of(1, 1, ([value]) => parsedJson(value)),
  guid: of(1, MANY, (parts) => guid(parts.map((value) => text("guid", value)))),
  uniquestring: of(1, MANY, (parts) =>
    uniqueString(parts.map((value) => text("uniqueString", value))),
  ),

  // Lists and objects
  createarray: of(0, MANY, (values) => values),
  createobject: of(0, MANY, (values) => {
    const pairs = values.flatMap((key, at) =>
      at % 2 ? [] : [[text("createObject", key), values[at + 1]]],
    );
    return values.length % 2 ? refuse("createObject", null) : Object.fromEntries(pairs);
  }),
  array: of(1, 1, ([value]) => (Array.isArray(value) ? value : [value])),
  empty: of(1, 1, ([value]) => value === null || sized("empty", value) === 0),
  length: of(1, 1, ([value]) => sized("length", value)),
  contains: of(2, 2, contains),
  first: of(
    1,
    1,
    ([value]) => part("first", value, 0)[0] ?? (typeof value === "string" ? "" : null),
  ),
  last: of(
    1,
    1,
    ([value]) => part("last", value, 0).at(-1) ?? (typeof value === "string" ? "" : null),
  ),
  skip: of(2, 2, ([value, count]) => part("skip", value, Math.max(0, integer("skip", count)))),
  take: of(2, 2, ([value, count]) => part("take", value, 0, Math.max(0, integer("take", count)))),
  indexof: of(2, 2, ([whole, item]) =>
    Array.isArray(whole)
      ? whole.findIndex((other) => same(other, item))
      : text("indexOf", whole).toLowerCase().indexOf(text("indexOf", item).toLowerCase()),
  ),
  lastindexof: of(2, 2, ([whole, item]) =>
    Array.isArray(whole)
      ? whole.findLastIndex((other) => same(other, item))
      : text("lastIndexOf", whole)
          .toLowerCase()
          .lastIndexOf(text("lastIndexOf", item).toLowerCase()),
  ),
  range: of(2, 2, ([start, count]) =>
    Array.from({ length: integer("range", count) }, (_, at) => integer("range", start) + at),
  ),
  flatten: of(1, 1, ([value]) => list("flatten", value).flat()),
  union: of(2, MANY, union),
  shallowmerge: of(1, 1, ([values]) => Object.assign({}, ...list("shallowMerge", values))),
  intersection: of(2, MANY, intersection),
  items: of(1, 1, ([value]) =>
    isObject(value)
      ? Object.keys(value)
          .sort()
          .map((key) => ({ key, value: value[key] }))
      : refuse("items", value),
  ),
  objectkeys: of(1, 1, ([value]) =>
    isObject(value) ? Object.keys(value).sort() : refuse("objectKeys", value),
  ),

  // Lambdas
  map: withLambda("map", 2, 2, (items, [lambda], scope) =>
    items.map((item, at) => lambdaOf(lambda, scope)(item, at)),
  ),
  filter: withLambda("filter", 2, 2, (items, [lambda], scope) =>
    items.filter((item, at) => flag("filter", lambdaOf(lambda, scope)(item, at))),
  ),
  reduce: withLambda("reduce", 3, 3, (items, [start, lambda], scope) =>
    items.reduce((sum, item, at) => lambdaOf(lambda, scope)(sum, item, at), evaluate(start, scope)),
  ),
  toobject: withLambda("toObject", 2, 3, (items, [key, value], scope) =>
    Object.fromEntries(
      items.map((item) => [
        lambdaOf(key, scope)(item),
        value ? lambdaOf(value, scope)(item) : item,
      ]),
    ),
  ),
  lambdavariables: of(1, 1, lambdaVariable),
};
