// All checks. Those of the files look at them as they are; those of deployments at what each variant
// comes to.

import { ExpressionError, TemplateError } from "../expression.mjs";
import { evaluateVariant } from "../variants.mjs";
import { contentFindings } from "./content.mjs";
import { expressionFindings, usageFindings } from "./expressions.mjs";
import { headFindings, hostFindings, jsonFindings, versionFindings } from "./form.mjs";
import { hostIdFindings, nameFindings } from "./names.mjs";
import { orderFindings } from "./order.mjs";
import { releaseFindings } from "./release.mjs";
import { roleFindings } from "./roles.mjs";
import { ruleFindings } from "./rule.mjs";
import { secretFindings } from "./secrets.mjs";
import { settingFindings } from "./settings.mjs";
import { answerFindings, wizardFindings } from "./wizard.mjs";

/** By what they prove; each takes a project. */
export const OF_FILES = {
  "both files are strict JSON without a key that stands twice": jsonFindings,
  "the template's head, and a description of every parameter, are there": headFindings,
  "versions of APIs are dates": versionFindings,
  "every expression can be read and calls what exists": expressionFindings,
  "every parameter and variable is used, and every one that is used exists": usageFindings,
  "no host of a single cloud is written down": hostFindings,
  "the package is that of this version's release": releaseFindings,
};

/** Of these the template's parameters alone matter, and the wizard. */
export const OF_WIZARD = {
  "the wizard asks for what exists, and gives each parameter once": wizardFindings,
  "whatever someone fills in, the template takes": answerFindings,
};

/** Each takes `{project, template, variant, deployed}`. */
export const OF_DEPLOYMENTS = {
  "everything is deployed after what it needs": orderFindings,
  "names are within Azure's limits": nameFindings,
  "names of hosts are not cut": hostIdFindings,
  "secrets end in the key vault alone": secretFindings,
  "settings are those that the program and the platform read": settingFindings,
  "the app's identity has the roles that it needs and no others": roleFindings,
  "streams, flows and tables fit each other": ruleFindings,
  "the content for Sentinel is what was asked for, and whole": contentFindings,
};

/** A check that can't get to its end found something too. */
function attempted(check) {
  try {
    return check();
  } catch (error) {
    return [error.message];
  }
}

/** The deployment of a variant, or why there is none. */
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

/** What the given checks of the files find. */
export function findingsOfFiles(checks, project) {
  return Object.values(checks).flatMap((check) => attempted(() => check(project)));
}

/** What the checks of deployments find, each finding once. */
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
