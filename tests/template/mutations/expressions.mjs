import { nested, parameters, replaceAll, role, rule, settings, site, variables } from "./parts.mjs";

export const EXPRESSIONS = [
  [
    "an id with one name too many",
    (p) =>
      replaceAll(
        site(p).properties,
        "serverFarmId",
        "variables('planName')",
        "variables('planName'), 'x'",
      ),
    /2 names for the type Microsoft.Web\/serverfarms/,
  ],
  [
    "an id with one name too few",
    (p) => replaceAll(settings(p), "dependsOn", ", 'ProofpointToken')", ")"),
    /1 names for the type/,
  ],
  [
    "a parameter that does not exist",
    (p) => {
      site(p).location = "[parameters('region')]";
    },
    /parameters region, which does not exist/,
  ],
  [
    "a parameter that nothing uses",
    (p) => {
      parameters(p).other = { type: "string", defaultValue: "", metadata: { description: "x" } };
    },
    /parameters.other is used nowhere/,
  ],
  [
    "a variable that nothing uses",
    (p) => {
      variables(p).other = 1;
    },
    /variables.other is used nowhere/,
  ],
  [
    "a nested parameter that is not declared",
    (p) => {
      nested(p, "Microsoft.Authorization/roleAssignments").properties.parameters.other = {
        value: 1,
      };
    },
    /has no parameter other/,
  ],
  [
    "a function that does not exist",
    (p) => {
      site(p).location = "[tolowercase(parameters('location'))]";
    },
    /tolowercase\(\), which is not known/,
  ],
  [
    "a bracket that is not closed",
    (p) => {
      site(p).location = "[toLower(parameters('location')]";
    },
    /lacks a \)/,
  ],
  [
    "an expression without its end",
    (p) => {
      site(p).location = "[parameters('location')";
    },
    /only one of an expression's brackets/,
  ],
  [
    "one argument too many",
    (p) => {
      site(p).location = "[toLower(parameters('location'), 'x')]";
    },
    /toLower\(\) with 2 arguments/,
  ],
  [
    "a member that no resource has",
    (p) => replaceAll(p.template, "outputs", ".identity.principalId", ".identity.clientId"),
    /asks for the member "clientId"/,
  ],
  [
    "a reference to what is not deployed",
    (p) => {
      p.template.outputs.x = {
        type: "string",
        value: "[reference(resourceId('Microsoft.Web/sites', 'other'), '2024-04-01').state]",
      };
    },
    /neither deployed nor there already/,
  ],
  [
    "a reference in a variable",
    (p) => {
      variables(p).planName =
        "[reference(resourceId('Microsoft.KeyVault/vaults', variables('keyVaultName')), '2022-07-01').vaultUri]";
    },
    /nothing is deployed yet/,
  ],
  [
    "an identity that is not asked for",
    (p) => {
      delete site(p).identity;
    },
    /asks for the member "identity"/,
  ],
  [
    "a rule without an endpoint of its own",
    (p) => {
      delete rule(p).kind;
    },
    /asks for the member "endpoints"/,
  ],
  [
    "the same role twice",
    (p) => {
      const twin = structuredClone(role(p, "keyVault')"));
      nested(p, twin.type, "keyVault')").properties.template.resources.push(twin);
    },
    /is deployed twice/,
  ],
];
