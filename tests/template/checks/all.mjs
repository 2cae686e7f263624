// All checks: of the files themselves, and of the evaluated deployment of each variant.

import { ExpressionError, TemplateError } from "../expression.mjs";
import { evaluateVariant } from "../variants.mjs";
import { contentFindings } from "./content.mjs";
import { expressionFindings, usageFindings } from "./expressions.mjs";
import { headFindings, hostFindings, jsonFindings, versionFindings } from "./form.mjs";
import { memberFindings } from "./members.mjs";
import { hostIdFindings, nameFindings } from "./names.mjs";
import { orderFindings } from "./order.mjs";
import { releaseFindings } from "./release.mjs";
import { roleFindings } from "./roles.mjs";
import { ruleFindings } from "./rule.mjs";
import { secretFindings } from "./secrets.mjs";
import { settingFindings } from "./settings.mjs";
import { answerFindings, wizardFindings } from "./wizard.mjs";

/** Checks by what they prove. Each takes a project. */
export const OF_FILES = {
  "both files are strict JSON without duplicate keys": jsonFindings,
  "the template has its head and a description of every parameter": headFindings,
  "resources have only members that Azure accepts": memberFindings,
  "versions of APIs are dates": versionFindings,
  "every expression parses and calls existing functions": expressionFindings,
  "every parameter and variable is used, and every used one exists": usageFindings,
  "no host name of a single cloud is hard-coded": hostFindings,
  "the package is the one of this version's release": releaseFindings,
};

/** Checks of the wizard, which use only the template's parameters. */
export const OF_WIZARD = {
  "the wizard outputs every parameter exactly once": wizardFindings,
  "the template accepts all answers of the wizard": answerFindings,
};

/** Each takes `{project, template, variant, deployed}`. */
export const OF_DEPLOYMENTS = {
  "everything is deployed after its dependencies": orderFindings,
  "names are within Azure's limits": nameFindings,
  "host names are not truncated": hostIdFindings,
  "secrets are only in the key vault": secretFindings,
  "the program or the platform reads every setting": settingFindings,
  "the app's identity has exactly the roles that it needs": roleFindings,
  "streams, flows and tables match": ruleFindings,
  "the requested Sentinel content is complete": contentFindings,
};

/** A check that throws also counts as a finding. */
function attempted(check) {
  try {
    return check();
  } catch (error) {
    return [error.message];
  }
}

/** The deployment of a variant, or the reason why it fails. */
export function evaluated(template, variant) {
  try {
    return { deployed: evaluateVariant(template, variant) };
  } catch (error) {
    if (error instanceof TemplateError || error instanceof ExpressionError) {
      return { failure: error.message };
    }
    throw error;
  }
}

/** The findings of the given checks of the files. */
export function findingsOfFiles(checks, project) {
  return Object.values(checks).flatMap((check) => attempted(() => check(project)));
}

/** The findings of the checks of deployments, without duplicates. */
export function findingsOfDeployments(project, variants) {
  const { template } = project;
  const findings = variants.flatMap((variant) => {
    const { deployed, failure } = evaluated(template, variant);
    const checks = deployed ? Object.values(OF_DEPLOYMENTS) : [];
    return [
      failure ?? [],
      ...checks.map((check) => attempted(() => check({ project, template, variant, deployed }))),
    ].flat();
  });
  return [...new Set(findings)];
}
