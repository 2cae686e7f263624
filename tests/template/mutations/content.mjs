import { all, nested, one, replaceAll, variables } from "./parts.mjs";

const RULES = "Microsoft.SecurityInsights/alertRules";
const SAVED = "Microsoft.OperationalInsights/workspaces/savedSearches";
const WATCHLISTS = "Microsoft.SecurityInsights/watchlists";
const WORKBOOKS = "Microsoft.Insights/workbooks";

const withoutCondition = (resource) => {
  delete resource.condition;
};

export const CONTENT = [
  [
    "content that can't be left out",
    (p) => withoutCondition(nested(p, WORKBOOKS)),
    /workbooks: 1 are deployed, though not asked for/,
  ],
  [
    "rules that read tables of the plan Basic",
    (p) => replaceAll(nested(p, RULES), "condition", "not(contains(", "and(true(), contains("),
    /alertRules: 0 are deployed, though asked for/,
  ],
  [
    "rules that are enabled against the parameter",
    (p) => {
      nested(p, RULES).properties.parameters.enabled.value = "[not(parameters('sentinelContent'))]";
    },
    /the rule .* is not enabled/,
  ],
  [
    "rules that are enabled though they are too noisy",
    (p) => {
      const rules = one(p, RULES);
      rules.properties = rules.properties.replace(
        ", parameters('rules')[copyIndex()].properties.enabled",
        ", true()",
      );
    },
    /the rule .* is enabled/,
  ],
  [
    "watchlists that are created unasked",
    (p) => withoutCondition(one(p, WATCHLISTS)),
    /watchlists: 4 are deployed, though not asked for/,
  ],
  [
    "watchlists that are never created",
    (p) => {
      nested(p, WATCHLISTS).properties.parameters.watchlists.value = false;
    },
    /watchlists: 0 are deployed, though asked for/,
  ],
  [
    "a watchlist under another alias than rules name",
    (p) => {
      variables(p).content.watchlists[0].properties.watchlistAlias = "AllowList";
    },
    /the watchlist ProofpointAllowList has the alias AllowList/,
  ],
  [
    "rules before the function that they call",
    (p) => {
      delete nested(p, RULES).dependsOn;
    },
    /must depend on .*savedSearches .*: its query calls the function/,
  ],
  [
    "a rule without a description",
    (p) => {
      delete variables(p).content.analyticRules[0].properties.description;
    },
    /the rule .* has no description/,
  ],
  [
    "a saved search that can't be deployed again",
    (p) => {
      one(p, SAVED).properties = "[variables('savedSearches')[copyIndex()].properties]";
    },
    /can't be deployed again/,
  ],
  [
    "two functions of one name",
    (p) => {
      const [first, second] = variables(p).content.functions;
      second.properties.functionAlias = first.properties.functionAlias;
    },
    /two functions are called ProofpointPOD/,
  ],
  [
    "a workbook that Sentinel does not show",
    (p) => all(p.template, WORKBOOKS).forEach((each) => (each.properties.category = "workbook")),
    /Sentinel does not show a workbook/,
  ],
  [
    "a workbook without items",
    (p) => {
      variables(p).content.workbook.serializedData = "{}";
    },
    /the workbook has no items/,
  ],
  [
    "content in the resource group of the app instead of the workspace",
    (p) => {
      delete nested(p, WORKBOOKS).resourceGroup;
    },
    /the workbook is in .*, its workspace elsewhere|which is neither deployed nor there already/,
  ],
];
