// Secrets end in the key vault and nowhere else: every secure parameter gets a value that can be
// found again, and whatever list...() answers counts as a secret too.

import { isSecure } from "../parameters.mjs";

/** Where Azure keeps a value to itself, by type, as a path into the resource. */
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

/** Texts by which the secret parts of a parameter's value are known: those with "marker" in them. */
function markers(value) {
  const texts = leaves(value).map(([, text]) => text);
  const decoded = (text) => Buffer.from(text, "base64").toString();
  return texts.filter((text) => text.includes("marker") || decoded(text).includes("marker"));
}

/** No secret is as short as this. */
const SHORTEST = 6;

/** The forms in which a secret could stand somewhere, in small letters. */
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

/** Parameters of a nested deployment stay in its history, unless they are secure themselves. */
function lookInside(instance, look) {
  const { template, outputs } = instance.child;
  for (const [name, declared] of Object.entries(template.parameters ?? {})) {
    if (!isSecure(declared)) {
      look(`${instance.pointer} (the parameter ${name})`, instance.child.parameter(name));
    }
  }
  look(`${instance.pointer} (its outputs)`, outputs);
}

/** Secure parameters that no variant gives a marker would not be looked for. */
export function markerFindings({ template, variants }) {
  return Object.entries(template.parameters)
    .filter(([, parameter]) => isSecure(parameter))
    .filter(
      ([name]) => !variants.some(({ parameters }) => markers(parameters[name] ?? "").length > 0),
    )
    .map(([name]) => `no variant gives the secure parameter ${name} a marker`);
}
