// The parts of the template and the wizard that the mutations break.

/** Every resource of the type in a template, including nested deployments. */
export function all(value, type) {
  if (value === null || typeof value !== "object") {
    return [];
  }
  const own =
    value.type?.toLowerCase?.() === type.toLowerCase() && "apiVersion" in value ? [value] : [];
  return [...own, ...Object.values(value).flatMap((member) => all(member, type))];
}

export const one = (project, type, text = "") =>
  all(project.template, type).find((resource) => JSON.stringify(resource).includes(text));

export const site = (project) => one(project, "Microsoft.Web/sites");
export const settings = (project) => one(project, "Microsoft.Web/sites/config");
export const rule = (project) => one(project, "Microsoft.Insights/dataCollectionRules");
/** The variables of the nested deployment that makes the rule. */
export const ruleVariables = (project) =>
  nested(project, "Microsoft.Insights/dataCollectionRules").properties.template.variables;
export const role = (project, name) =>
  one(project, "Microsoft.Authorization/roleAssignments", name);
export const nested = (project, type, text = "") =>
  all(project.template, "Microsoft.Resources/deployments").find((each) =>
    all(each.properties.template, type).some((resource) => JSON.stringify(resource).includes(text)),
  );
export const variables = (project) => project.template.variables;
export const parameters = (project) => project.template.parameters;
export const given = (project) => project.wizard.parameters.outputs;

export function without(resource, text) {
  resource.dependsOn = resource.dependsOn.filter((each) => !each.includes(text));
}

export function element(project, name) {
  const { basics, steps } = project.wizard.parameters;
  return [...basics, ...steps.flatMap((step) => step.elements)].find((each) => each.name === name);
}

export function replaceAll(object, key, old, fresh) {
  object[key] = JSON.parse(JSON.stringify(object[key]).replaceAll(old, fresh));
}

/** Replaces the value of a setting. */
export function set(project, name, value) {
  const { settings: all, firstClusterSettings } = variables(project);
  (name in firstClusterSettings ? firstClusterSettings : all)[name] = value;
}
