import assert from "node:assert/strict";
import { test } from "node:test";

import { unexplained } from "./reasons.mjs";

const found = { finding: "CHECK_1 vaults", text: "vaults are closed", where: "open.json" };
const reason = { finding: "CHECK_1 vaults", reason: "The operator chose an open network." };

test("a finding with a reason is not an error", () => {
  assert.deepEqual(unexplained([found], [reason]), []);
  assert.deepEqual(unexplained([found], [{ ...reason, only: "^open" }]), []);
});

test("a finding without a reason or outside its places is an error", () => {
  const fault = ["without a reason: CHECK_1 vaults: vaults are closed, in open.json and 1 more"];
  assert.deepEqual(unexplained([found, { ...found, where: "other.json" }], []), fault);
  const elsewhere = unexplained(
    [found, { ...found, where: "private.json" }],
    [{ ...reason, only: "^open" }],
  );
  assert.deepEqual(elsewhere, [
    "without a reason: CHECK_1 vaults: vaults are closed, in private.json and 0 more",
  ]);
});

test("an unused reason and an empty reason are errors", () => {
  assert.deepEqual(unexplained([], [reason]), ["no longer found: CHECK_1 vaults"]);
  assert.deepEqual(unexplained([found], [{ ...reason, reason: "x" }]), [
    "no reason is given: CHECK_1 vaults",
  ]);
});
