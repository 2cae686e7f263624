// Findings of other checkers: each is fixed, or is in a list with the reason why it stays. A reason
// without a finding is an error too.

import { readFileSync } from "node:fs";

export function reasonsOf(file) {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
}

/**
 * The errors, as lines. `findings` are `{finding, text, where}`. Reasons are `{finding, reason}`,
 * optionally with `only`, a pattern of the places to which the reason applies.
 */
export function unexplained(findings, reasons) {
  const explains = (reason, { finding, where }) =>
    reason.finding === finding && new RegExp(reason.only ?? "").test(where);
  const open = new Map();
  for (const each of findings.filter(
    (finding) => !reasons.some((reason) => explains(reason, finding)),
  )) {
    open.set(each.finding, [...(open.get(each.finding) ?? []), each]);
  }
  const stale = reasons.filter((reason) => !findings.some((finding) => explains(reason, finding)));
  const wordless = reasons.filter(({ reason }) => !/\w+ \w+ \w+/.test(reason));
  return [
    ...[...open].map(
      ([finding, [first, ...more]]) =>
        `without a reason: ${finding}: ${first.text}, in ${first.where} and ${more.length} more`,
    ),
    ...stale.map(({ finding }) => `no longer found: ${finding}`),
    ...wordless.map(({ finding }) => `no reason is given: ${finding}`),
  ];
}

/** Prints what was checked and the errors, and sets the exit code. */
export function conclude(what, findings, reasons) {
  const faults = unexplained(findings, reasons);
  console.log(
    [`${what}: ${findings.length} findings, ${reasons.length} reasons`, ...faults].join("\n"),
  );
  process.exitCode = faults.length > 0 ? 1 : 0;
}
