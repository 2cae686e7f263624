import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { findingsOfDeployments, findingsOfFiles, OF_FILES, OF_WIZARD } from "./checks/all.mjs";
import { MUTATIONS } from "./mutations.mjs";
import { load } from "./project.mjs";
import { matrix, singles } from "./variants.mjs";

/** Few variants that cover each choice. One sovereign cloud stands for both. */
const NAMES = [
  "public flex logs-ingestion open direct one cluster first",
  "public flex logs-ingestion open proxy three clusters again",
  "public premium data-collector private proxy three clusters first",
  "usgov premium logs-ingestion fenced proxy three clusters first",
  "public flex logs-ingestion open direct with TAP first",
];

/** Variants with another value of one parameter. */
const SINGLES = ["no content", "watchlists", "a transformation", "TAP alone"];

const project = load();
const variants = [
  ...matrix().filter(({ name }) => NAMES.includes(name)),
  ...singles(project.template).filter(({ name }) =>
    SINGLES.some((single) => name.endsWith(`, ${single}`)),
  ),
];

/** The findings of the checks that a change can affect. */
function findings(changed, original = {}) {
  const differs = (read) => !isDeepStrictEqual(read(changed), original.template && read(original));
  const asks = differs(({ wizard, template }) => [wizard, template.parameters]);
  return [
    ...findingsOfFiles(OF_FILES, changed),
    ...(asks ? findingsOfFiles(OF_WIZARD, changed) : []),
    ...(differs(({ template }) => template) ? findingsOfDeployments(changed, variants) : []),
  ];
}

test("the unchanged files have no findings", () => {
  assert.equal(variants.length, NAMES.length + SINGLES.length);
  assert.deepEqual(findings(project), []);
});

for (const [what, change, expected] of MUTATIONS) {
  test(`a check finds: ${what}`, () => {
    const broken = structuredClone(project);
    change(broken);
    assert.notDeepEqual(broken, project, "the mutation changes nothing");
    const found = findings(broken, project);
    assert.ok(
      found.some((finding) => expected.test(finding)),
      `found only:\n${found.join("\n") || "nothing"}`,
    );
  });
}
