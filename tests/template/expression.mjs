// The expression language of ARM templates and of createUiDefinition.json: parses text to a tree, and
// evaluates the tree. The caller provides the functions: see functions.mjs, template.mjs, wizard.mjs.

/** An expression that fails. */
export class ExpressionError extends Error {}

/** The same, with its position in the template. */
export class TemplateError extends Error {}

/** Azure rejects longer expressions. */
const LONGEST = 24_576;

export function isExpression(text) {
  return text.startsWith("[") && text.endsWith("]") && !text.startsWith("[[");
}

/** A text that is not an expression, as Azure reads it: `[[x]` stands for `[x]`. */
export function literal(text) {
  return text.startsWith("[[") && text.endsWith("]") ? text.slice(1) : text;
}

const TOKEN =
  /\s*(?:(?<string>'(?:[^']|'')*')|(?<number>-?\d+)|(?<name>[A-Za-z_][\w]*)|(?<sign>\.\?|\[\?|[()[\],.]))/y;

function tokenize(text) {
  const tokens = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) {
      throw new ExpressionError(`can't be read from here on: ${text.slice(at)}`);
    }
    const [[kind, value]] = Object.entries(match.groups).filter(([, value]) => value !== undefined);
    tokens.push({ kind, value });
  }
  return tokens;
}

const parsed = new Map();

/**
 * The tree of an expression with its brackets. Nodes are `{literal}`, `{call, args}`, `{word}` and
 * `{of, member, safe}`, where `member` is also a node.
 */
export function parse(text) {
  if (!parsed.has(text)) {
    if (text.length > LONGEST) {
      throw new ExpressionError(`is longer than ${LONGEST} characters`);
    }
    parsed.set(text, new Parser(tokenize(text.slice(1, -1))).whole());
  }
  return parsed.get(text);
}

class Parser {
  constructor(tokens) {
    this.tokens = tokens;
    this.next = 0;
  }

  whole() {
    const node = this.expression();
    if (this.next < this.tokens.length) {
      throw new ExpressionError(`has something behind its end: ${this.tokens[this.next].value}`);
    }
    return node;
  }

  take(...signs) {
    const token = this.tokens[this.next];
    if (token?.kind !== "sign" || !signs.includes(token.value)) {
      return undefined;
    }
    this.next += 1;
    return token.value;
  }

  expect(sign) {
    if (!this.take(sign)) {
      const found = this.tokens[this.next]?.value ?? "its end";
      throw new ExpressionError(`lacks a ${sign} before ${found}`);
    }
  }

  name() {
    const token = this.tokens[this.next];
    if (token?.kind !== "name") {
      throw new ExpressionError(`lacks a name before ${token?.value ?? "its end"}`);
    }
    this.next += 1;
    return token.value;
  }

  expression() {
    let node = this.primary();
    for (;;) {
      const sign = this.take(".", ".?", "[", "[?");
      if (!sign) {
        return node;
      }
      const safe = sign.endsWith("?");
      const member = sign.startsWith(".") ? { literal: this.name() } : this.expression();
      if (sign.startsWith("[")) {
        this.expect("]");
      }
      node = { of: node, member, safe };
    }
  }

  primary() {
    const token = this.tokens[this.next];
    if (token?.kind === "string") {
      this.next += 1;
      return { literal: token.value.slice(1, -1).replaceAll("''", "'") };
    }
    if (token?.kind === "number") {
      this.next += 1;
      return { literal: Number(token.value) };
    }
    const call = this.name();
    if (!this.take("(")) {
      return { word: call };
    }
    const args = [];
    if (!this.take(")")) {
      do {
        args.push(this.expression());
      } while (this.take(","));
      this.expect(")");
    }
    return { call, args };
  }
}

/** Calls `visit` with every node of a tree. */
export function walk(node, visit) {
  visit(node);
  for (const child of node.args ?? (node.of ? [node.of, node.member] : [])) {
    walk(child, visit);
  }
}

/**
 * The value of a tree. `scope.words` are optional names of values. `scope.find(name)` returns the
 * function of that name in lower case: `{arity: [minimum, maximum], apply(args, scope)}`, or one with
 * `lazy` instead of `apply` that gets its arguments as trees.
 */
export function evaluate(node, scope) {
  if ("literal" in node) {
    return node.literal;
  }
  if (node.word) {
    if (!Object.hasOwn(scope.words ?? {}, node.word)) {
      throw new ExpressionError(`has the word ${node.word}, which is no call`);
    }
    return scope.words[node.word];
  }
  if (node.of) {
    return member(evaluate(node.of, scope), evaluate(node.member, scope), node.safe);
  }
  const found = scope.find(node.call.toLowerCase());
  if (!found) {
    throw new ExpressionError(`calls ${node.call}(), which is not known`);
  }
  const [least, most] = found.arity;
  if (node.args.length < least || node.args.length > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    throw new ExpressionError(
      `calls ${node.call}() with ${node.args.length} arguments, where it takes ${wanted}`,
    );
  }
  if (found.lazy) {
    return found.lazy(node.args, scope);
  }
  return found.apply(
    node.args.map((arg) => evaluate(arg, scope)),
    scope,
  );
}

/** Property names ignore case. */
export function findKey(object, name) {
  if (Object.hasOwn(object, name)) {
    return name;
  }
  return Object.keys(object).find((key) => key.toLowerCase() === String(name).toLowerCase());
}

function member(value, name, safe) {
  if (Array.isArray(value) && Number.isInteger(name)) {
    if (name >= 0 && name < value.length) {
      return value[name];
    }
  } else if (
    value !== null &&
    typeof value === "object" &&
    !Array.isArray(value) &&
    typeof name === "string"
  ) {
    const key = findKey(value, name);
    if (key !== undefined) {
      return value[key];
    }
  } else if (!(safe && value === null)) {
    throw new ExpressionError(`asks ${describe(value)} for its member ${JSON.stringify(name)}`);
  }
  if (safe) {
    return null;
  }
  const there = Array.isArray(value) ? `${value.length} items` : Object.keys(value).join(", ");
  throw new ExpressionError(
    `asks for the member ${JSON.stringify(name)}, where there are only: ${there}`,
  );
}

/** The name of a value's type. */
export function describe(value) {
  if (value === null || value === undefined) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "array";
  }
  return { number: "int", boolean: "bool" }[typeof value] ?? typeof value;
}
