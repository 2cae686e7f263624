import { all, nested, one, replaceAll, settings, site, without } from "./parts.mjs";

export const ORDER = [
  [
    "the app does not wait for its plan",
    (p) => without(site(p), "serverfarms"),
    /must depend on Microsoft.Web\/serverfarms/,
  ],
  [
    "the app does not wait for its container",
    (p) => without(site(p), "containers"),
    /must depend on .*containers .*: its settings name the container/,
  ],
  [
    "settings do not wait for the roles",
    (p) => without(settings(p), "Microsoft.Resources/deployments"),
    /must depend on Microsoft.Authorization\/roleAssignments/,
  ],
  [
    "settings do not wait for a secret",
    (p) => without(settings(p), "'ProofpointProxy'"),
    /must depend on Microsoft.KeyVault\/vaults\/secrets .*ProofpointProxy/,
  ],
  [
    "settings do not wait for the secret of TAP",
    (p) => without(settings(p), "'TapSecret'"),
    /must depend on Microsoft.KeyVault\/vaults\/secrets .*TapSecret/,
  ],
  [
    "settings do not wait for the secrets of a loop",
    (p) => without(settings(p), "clusterTokens"),
    /must depend on Microsoft.KeyVault\/vaults\/secrets .*emea/,
  ],
  [
    "the program does not wait for its settings",
    (p) => {
      one(p, "Microsoft.Web/sites/extensions").dependsOn = [];
    },
    /must depend on Microsoft.Web\/sites\/config/,
  ],
  [
    "settings do not wait until new roles have spread",
    (p) => without(settings(p), "contentDeployment"),
    /\/appsettings\) must depend on .*savedSearches .*: new roles spread meanwhile/,
  ],
  [
    "content is deployed before the roles, which then have no time to spread",
    (p) =>
      without(
        nested(p, "Microsoft.OperationalInsights/workspaces/savedSearches"),
        "rolesDeployment",
      ),
    /must depend on Microsoft.Authorization\/roleAssignments .*: new roles spread while/,
  ],
  [
    "analytic rules are deployed before the program",
    (p) => {
      const rules = nested(p, "Microsoft.SecurityInsights/alertRules");
      without(rules, "'onedeploy'");
      without(rules, "'appsettings'");
    },
    /must depend on Microsoft.Web\/sites\/extensions .*: the program comes before the rules/,
  ],
  [
    "the rule does not wait for its tables",
    (p) => {
      delete nested(p, "Microsoft.Insights/dataCollectionRules").dependsOn;
      all(p.template, "Microsoft.Insights/dataCollectionRules").forEach(
        (each) => delete each.dependsOn,
      );
    },
    /must depend on Microsoft.OperationalInsights\/workspaces\/tables/,
  ],
  [
    "a child resource does not wait for its parent",
    (p) => {
      delete one(p, "Microsoft.KeyVault/vaults/secrets").dependsOn;
    },
    /must depend on Microsoft.KeyVault\/vaults .*: it is a part of it/,
  ],
  [
    "an extension does not wait for what it extends",
    (p) => {
      delete one(p, "Microsoft.Insights/diagnosticSettings", "vaults/").dependsOn;
    },
    /to-workspace.* must depend on Microsoft.KeyVault\/vaults/,
  ],
  [
    "something depends on what does not exist",
    (p) => settings(p).dependsOn.push("[resourceId('Microsoft.Web/sites', 'other')]"),
    /depends on .*other, which the template does not deploy/,
  ],
  [
    "something depends on a loop that does not exist",
    (p) => replaceAll(settings(p), "dependsOn", "clusterTokens", "clusterToken"),
    /depends on clusterToken,/,
  ],
  [
    "two resources wait for each other",
    (p) => {
      one(p, "Microsoft.Web/serverfarms").dependsOn = [
        "[resourceId('Microsoft.Web/sites', variables('functionAppName'))]",
      ];
    },
    /cycle of dependencies/,
  ],
  [
    "a child resource of a missing parent",
    (p) => {
      one(p, "Microsoft.Web/sites/basicPublishingCredentialsPolicies").name = "other/ftp";
    },
    /is a part of .*other, which is neither/,
  ],
];
