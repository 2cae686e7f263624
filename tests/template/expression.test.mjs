import assert from "node:assert/strict";
import { test } from "node:test";

import { ExpressionError, evaluate, isExpression, literal, parse } from "./expression.mjs";
import { FUNCTIONS } from "./functions.mjs";

const scope = { find: (name) => FUNCTIONS[name] };

function value(text) {
  return evaluate(parse(text), scope);
}

test("brackets make an expression, unless they are doubled", () => {
  assert.ok(isExpression("[true()]"));
  assert.ok(!isExpression("[[true()]"));
  assert.ok(!isExpression("[true()] "));
  assert.equal(literal("[[text]"), "[text]");
  assert.equal(literal("[[text"), "[[text");
  assert.equal(literal("[text"), "[text");
});

test("calls, texts, numbers and members are parsed", () => {
  for (const [text, expected] of [
    ["['it''s']", "it's"],
    ["[ concat ( 'a' , 'b' ) ]", "ab"],
    ["[CONCAT('a', 1, true())]", "a1True"],
    ["[add(-2, 5)]", 3],
    ["[createObject('Key', createArray(1, 2)).key[1]]", 2],
    ["[createObject('a b', 1)['A B']]", 1],
    ["[createObject('a', 1).?b]", null],
    ["[createObject('a', 1)[?'a']]", 1],
    ["[if(true(), 'yes', fail())]", "yes"],
    ["[toObject(createArray('a'), lambda('x', concat(lambdaVariables('x'), '1')))]", { a1: "a" }],
    [
      "[map(createArray('a', 'b'), lambda('x', 'i', concat(lambdaVariables('x'), lambdaVariables('i'))))]",
      ["a0", "b1"],
    ],
  ]) {
    assert.deepEqual(value(text), expected, text);
  }
});

test("expressions that Azure rejects are rejected", () => {
  for (const [text, reason] of [
    ["[concat('a']", /lacks a \)/],
    ["[concat('a)]", /can't be read/],
    ["['a' 'b']", /behind its end/],
    ["[variable]", /no call/],
    ["[]", /lacks a name/],
    ["[conca('a')]", /not known/],
    ["[toLower()]", /0 arguments, where it takes 1/],
    ["[toLower('a', 'b')]", /2 arguments, where it takes 1/],
    ["[toLower(1)]", /toLower\(\) a value of the type int/],
    ["[and(true(), 'true')]", /and\(\) a value of the type string/],
    ["[createObject('a', 1).b]", /only: a/],
    ["[createArray(1)[1]]", /only: 1 items/],
    ["[first('a').b]", /asks string for its member/],
    ["[format('{0} {1}', 'a')]", /no value for \{1\}/],
    ["[substring('abc', 2, 2)]", /2 to 4/],
    ["[json('{')]", /no JSON/],
    [`['${"x".repeat(25_000)}']`, /longer than/],
  ]) {
    assert.throws(
      () => value(text),
      (error) => error instanceof ExpressionError && reason.test(error.message),
      text,
    );
  }
});

test("functions return what Microsoft documents", () => {
  for (const [text, expected] of [
    ["[and(true(), not(false()), or(false(), true()))]", true],
    ["[base64('one, two, three')]", "b25lLCB0d28sIHRocmVl"],
    ["[base64ToString('b25lLCB0d28sIHRocmVl')]", "one, two, three"],
    ["[coalesce(null(), 'x')]", "x"],
    ["[concat(createArray('1-1'), createArray('2-1'))]", ["1-1", "2-1"]],
    ["[contains('OneTwoThree', 'e')]", true],
    ["[contains(createObject('one', 'a'), 'ONE')]", true],
    ["[contains(createArray('one'), 'ONE')]", false],
    ["[empty('')]", true],
    ["[empty(createObject())]", true],
    ["[endsWith('abcdef', 'EF')]", true],
    ["[equals(createArray('a', 1), createArray('a', 1))]", true],
    ["[equals('a', 'A')]", false],
    ["[first('One')]", "O"],
    ["[format('{0}, {1}. {{{0}}}', 'Hello', 3)]", "Hello, 3. {Hello}"],
    ["[indexOf('abcabc', 'CA')]", 2],
    ["[lastIndexOf('test', 't')]", 3],
    ["[int('4')]", 4],
    ["[div(8, 3)]", 2],
    ["[mod(7, 3)]", 1],
    ["[intersection(createArray('one', 'two'), createArray('two', 'four'))]", ["two"]],
    [
      "[items(createObject('b', 2, 'a', 1))]",
      [
        { key: "a", value: 1 },
        { key: "b", value: 2 },
      ],
    ],
    ["[join(createArray('a', 'b'), ';')]", "a;b"],
    ["[last(createArray(1, 2))]", 2],
    ["[length('abc')]", 3],
    ["[padLeft('123', 6, '0')]", "000123"],
    ["[range(5, 3)]", [5, 6, 7]],
    ["[replace('123-123', '-', '')]", "123123"],
    ["[skip('one two', 4)]", "two"],
    ["[split('a;b,c', createArray(',', ';'))]", ["a", "b", "c"]],
    ["[string(createObject('a', 1))]", '{"a":1}'],
    ["[take('abc', 10)]", "abc"],
    ["[toLower('AbC')]", "abc"],
    ["[trim('  a ')]", "a"],
    ["[union(createArray('a', 'b'), createArray('b', 'c'))]", ["a", "b", "c"]],
    [
      "[union(createObject('a', createObject('b', 1)), createObject('A', createObject('c', 2)))]",
      { a: { b: 1, c: 2 } },
    ],
    ["[uriComponent('a b/c')]", "a%20b%2Fc"],
    ["[filter(range(1, 4), lambda('n', greater(lambdaVariables('n'), 2)))]", [3, 4]],
    [
      "[reduce(range(1, 4), 0, lambda('a', 'b', add(lambdaVariables('a'), lambdaVariables('b'))))]",
      10,
    ],
  ]) {
    assert.deepEqual(value(text), expected, text);
  }
});

test("hashes depend on every part and have the right form", () => {
  assert.match(value("[uniqueString('a', 'b')]"), /^[a-z2-7]{13}$/);
  assert.notEqual(value("[uniqueString('a', 'b')]"), value("[uniqueString('a', 'c')]"));
  assert.match(
    value("[guid('a', 'b')]"),
    /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.notEqual(value("[guid('a', 'b')]"), value("[guid('a', 'c')]"));
});
