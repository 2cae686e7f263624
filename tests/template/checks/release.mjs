// The template deploys the package of this version's release.

export function releaseFindings({ template, version, home }) {
  const findings = [];
  const wanted = `${home}/releases/download/v${version}/proofpoint-sentinel-${version}.zip`;
  const { defaultValue } = template.parameters.packageUri ?? {};
  if (defaultValue !== wanted) {
    findings.push(`packageUri is ${defaultValue}, not ${wanted}`);
  }
  const { inline, queue } = template.variables.releasedPackages ?? {};
  const wantedOfQueue = wanted.replace(`-${version}.zip`, `-queue-${version}.zip`);
  if (inline !== wanted || queue !== wantedOfQueue) {
    findings.push(
      `releasedPackages are ${inline} and ${queue}, not ${wanted} and ${wantedOfQueue}`,
    );
  }
  if (template.contentVersion !== `${version}.0`) {
    findings.push(`contentVersion is ${template.contentVersion}, not ${version}.0`);
  }
  return findings;
}
