// Findings of other checkers: each is mended, or stands in a list with the reason why it stays. A
// reason that no finding needs any more has to go too.

import { readFileSync } from "node:fs";

export function reasonsOf(file) {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
}

/**
 * What is wrong, as lines. `findings` are `{finding, text, where}`. Reasons are `{finding, reason}`,
 * where need be with `only`, a pattern of the places that the reason is good for.
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

/** Says what was looked at and what is wrong, which is the end of the process as well. */
export function conclude(what, findings, reasons) {
  const faults = unexplained(findings, reasons);
  console.log(
    [`${what}: ${findings.length} findings, ${reasons.length} reasons`, ...faults].join("\n"),
  );
  process.exitCode = faults.length > 0 ? 1 : 0;
}
