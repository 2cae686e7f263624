// The content for Microsoft Sentinel is deployed if requested, and has the form that Azure requires.
// tests/sentinel/test_deployment.py compares it with sentinel/.

import { deployedOf } from "../view.mjs";

const SAVED = "Microsoft.OperationalInsights/workspaces/savedSearches";
const RULES = "Microsoft.SecurityInsights/alertRules";
const WORKBOOKS = "Microsoft.Insights/workbooks";
const WATCHLISTS = "Microsoft.SecurityInsights/watchlists";
const CARDS = "Microsoft.SecurityInsights/dataConnectorDefinitions";

export function contentFindings({ deployed, template, variant }) {
  const of = (type) => deployedOf(deployed.instances, type);
  return [
    ...countFindings(of, asked(deployed, variant)),
    ...of(SAVED).flatMap(savedFindings),
    ...aliasFindings(of(SAVED)),
    ...of(RULES).flatMap((rule) => ruleFindings(rule, asked(deployed, variant), template)),
    ...of(WATCHLISTS).flatMap(watchlistFindings),
    ...of(WORKBOOKS).flatMap((book) => workbookFindings(book, deployed)),
  ];
}

/**
 * The content that the parameters request. Rules can only read tables with the plan Analytics, and
 * Azure China no longer has Microsoft Sentinel.
 */
function asked({ deployment }, { cloud }) {
  const given = (name) => deployment.parameter(name);
  const content = given("sentinelContent");
  const plans = Object.values({ all: given("tablePlan"), ...given("tablePlans") });
  const readable = given("destination") === "data-collector" || !plans.includes("Basic");
  return {
    content,
    card: content && cloud === "public",
    watchlists: content && cloud !== "china" && given("watchlists"),
    rules: content && readable && cloud !== "china" && given("analyticRules") !== "None",
    enabled: given("analyticRules") === "Enabled",
  };
}

function countFindings(of, { content, card, rules, watchlists }) {
  const wanted = {
    [SAVED]: content,
    [WORKBOOKS]: content,
    [CARDS]: card,
    [RULES]: rules,
    [WATCHLISTS]: watchlists,
  };
  return Object.entries(wanted)
    .filter(([type, wants]) => of(type).length > 0 !== wants)
    .map(
      ([type, wants]) =>
        `${type}: ${of(type).length} are deployed, though ${wants ? "asked" : "not asked"} for`,
    );
}

function savedFindings({ pointer, name, body }) {
  const { category, displayName, query } = body.properties;
  const findings = [];
  if (!category || !displayName || !query) {
    findings.push(`${pointer}: the saved search ${name} lacks its category, name or query`);
  }
  // Without it, Azure refuses to overwrite a saved search of that name. As a member of the resource
  // itself, Azure Resource Manager refuses the template.
  if (body.properties.etag !== "*") {
    findings.push(`${pointer}: the saved search ${name} can't be deployed again`);
  }
  return findings;
}

/** Azure rejects every query that calls a function that exists twice. */
function aliasFindings(saved) {
  const aliases = saved.map(({ body }) => body.properties.functionAlias).filter(Boolean);
  return aliases
    .filter((alias, position) => aliases.indexOf(alias) < position)
    .map((alias) => `two functions are called ${alias}`);
}

/** A rule is enabled if the parameters enable rules and its file does not disable it. */
function ruleFindings({ pointer, name, body }, asked, template) {
  const { properties } = body;
  const written = template.variables.content.analyticRules.find((rule) => rule.name === name);
  const enabled = asked.enabled && written.properties.enabled;
  const { displayName } = properties;
  const needed = [
    "displayName",
    "description",
    "query",
    "severity",
    "queryFrequency",
    "queryPeriod",
  ];
  const findings = needed
    .filter((member) => !properties[member])
    .map((member) => `${pointer}: the rule ${displayName} has no ${member}`);
  if (properties.enabled !== enabled) {
    findings.push(`${pointer}: the rule ${displayName} is ${enabled ? "not " : ""}enabled`);
  }
  return findings;
}

function watchlistFindings({ pointer, name, body }) {
  const { displayName, itemsSearchKey, provider, source, watchlistAlias } = body.properties;
  const findings = [];
  if (!displayName || !itemsSearchKey || !provider || !source) {
    findings.push(`${pointer}: the watchlist ${name} lacks its name, search key or origin`);
  }
  // Queries find it by its alias.
  if (watchlistAlias !== name) {
    findings.push(`${pointer}: the watchlist ${name} has the alias ${watchlistAlias}`);
  }
  return findings;
}

function workbookFindings({ pointer, id, body }, { deployment }) {
  const { serializedData, sourceId, category } = body.properties;
  const findings = [];
  if (!Array.isArray(JSON.parse(serializedData).items)) {
    findings.push(`${pointer}: the workbook has no items`);
  }
  const workspace = deployment.parameter("workspaceResourceId");
  if (sourceId !== workspace || category !== "sentinel") {
    findings.push(`${pointer}: Sentinel does not show a workbook of ${sourceId}, ${category}`);
  }
  const group = (text) => text.toLowerCase().split("/providers/")[0];
  if (group(id) !== group(workspace)) {
    findings.push(`${pointer}: the workbook is in ${group(id)}, its workspace elsewhere`);
  }
  return findings;
}
