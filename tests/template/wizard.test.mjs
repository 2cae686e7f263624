import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { faultsOf, LEAST_ANSWERS, MORE_ANSWERS, patternOf } from "./checks/wizard.mjs";
import { load } from "./project.mjs";
import { elements, outputs, Refused } from "./wizard.mjs";

const { template, wizard } = load();
const WHERE = { location: "westeurope", sparse: true };

/** Boxes for JSON, whose pattern takes more than JSON: the portal says so when it reads it. */
const JSON_BOXES = ["columns", "plans", "settings", "tags", "transformations"];

const boxes = elements(wizard).filter(
  ({ element }) => patternOf(element) && !JSON_BOXES.includes(element.name),
);

/** Whether the text stands somewhere in a value. */
function holds(value, text) {
  return value !== null && typeof value === "object"
    ? Object.values(value).some((member) => holds(member, text))
    : String(value) === text;
}

for (const { step, element } of boxes) {
  test(`the template accepts what the box ${step}.${element.name} accepts`, () => {
    const bases = [...MORE_ANSWERS, LEAST_ANSWERS];
    const numberOf = (text) => String(/^-?\d+$/.test(text) ? Number(text) : text);
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(patternOf(element))), (text) => {
        const arrived = bases.filter((base) => {
          try {
            const given = outputs(
              wizard,
              { ...base, [step]: { ...base[step], [element.name]: text } },
              WHERE,
            );
            assert.deepEqual(faultsOf(given, template), []);
            return holds(given, text) || holds(given, numberOf(text));
          } catch (error) {
            return error instanceof Refused ? false : assert.fail(error);
          }
        });
        assert.ok(arrived.length > 0 || text === "", `${JSON.stringify(text)} does not arrive`);
      }),
      { numRuns: 30 },
    );
  });
}

test("the wizard rejects missing and invalid answers", () => {
  const refused = (step, name, value) =>
    assert.throws(
      () =>
        outputs(
          wizard,
          { ...LEAST_ANSWERS, [step]: { ...LEAST_ANSWERS[step], [name]: value } },
          WHERE,
        ),
      Refused,
    );
  refused("proofpoint", "clusterId", "");
  refused("proofpoint", "token", "");
  refused("proofpoint", "token", "two words");
  refused("basics", "namePrefix", "with-hyphen");
  refused("proofpoint", "tapAlone", true);
  refused("tap", "collect", true);
  outputs(wizard, LEAST_ANSWERS, WHERE);
});
