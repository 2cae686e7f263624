// Secrets are only in the key vault. Every secure parameter gets a marker value that can be searched
// for, and every result of list...() also counts as a secret.

import { isSecure } from "../parameters.mjs";

/** Properties whose value Azure never returns, by type, as a path into the resource. */
const SAFE = { "microsoft.keyvault/vaults/secrets": "properties.value" };

/** All texts and keys in a value, as `[path, text]`. */
export function leaves(value, path = "", found = []) {
  if (value === null || typeof value !== "object") {
    found.push([path, String(value)]);
    return found;
  }
  for (const [key, member] of Object.entries(value)) {
    const at = path ? `${path}.${key}` : key;
    found.push([at, key]);
    leaves(member, at, found);
  }
  return found;
}

/** The secret parts of a parameter's value: the texts that contain "marker". */
function markers(value) {
  const texts = leaves(value).map(([, text]) => text);
  const decoded = (text) => Buffer.from(text, "base64").toString();
  return texts.filter((text) => text.includes("marker") || decoded(text).includes("marker"));
}

/** Every secret is longer than this. */
const SHORTEST = 6;

/** The forms in which a secret could appear, in lower case. */
function formsOf(secret) {
  return [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)].map((form) =>
    form.toLowerCase(),
  );
}

export function secretFindings({ template, variant, deployed }) {
  const declared = Object.entries(template.parameters).filter(([, parameter]) =>
    isSecure(parameter),
  );
  const secrets = [
    ...declared.flatMap(([name]) => markers(variant.parameters[name] ?? "")),
    ...deployed.world.secrets,
  ];
  const forms = secrets.flatMap(formsOf);
  const findings = [];
  const look = (what, value, safe) => {
    for (const [path, text] of leaves(value)) {
      if (
        path !== safe &&
        text.length > SHORTEST &&
        forms.some((form) => text.toLowerCase().includes(form))
      ) {
        findings.push(`${what} shows a secret in ${path}`);
      }
    }
  };
  look(
    "the template's outputs",
    Object.fromEntries(Object.entries(deployed.outputs).map(([name, { value }]) => [name, value])),
  );
  for (const instance of deployed.instances) {
    look(
      `${instance.pointer} (${instance.type} ${instance.name})`,
      instance.body,
      SAFE[instance.type.toLowerCase()],
    );
    if (instance.isDeployment) {
      lookInside(instance, look);
    }
    if (
      instance.active &&
      /\/vaults\/secrets$/i.test(instance.type) &&
      !instance.body.properties.value
    ) {
      findings.push(`${instance.pointer} empties the secret ${instance.name}`);
    }
  }
  return findings;
}

/** Parameters of a nested deployment stay in its history unless they are secure. */
function lookInside(instance, look) {
  const { template, outputs } = instance.child;
  for (const [name, declared] of Object.entries(template.parameters ?? {})) {
    if (!isSecure(declared)) {
      look(`${instance.pointer} (the parameter ${name})`, instance.child.parameter(name));
    }
  }
  look(`${instance.pointer} (its outputs)`, outputs);
}

/** A secure parameter without a marker in any variant would not be checked. */
export function markerFindings({ template, variants }) {
  return Object.entries(template.parameters)
    .filter(([, parameter]) => isSecure(parameter))
    .filter(
      ([name]) => !variants.some(({ parameters }) => markers(parameters[name] ?? "").length > 0),
    )
    .map(([name]) => `no variant gives the secure parameter ${name} a marker`);
}
