// What single choices of a deployment do to the tables, the rule, the app, and names.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./project.mjs";
import { evaluateVariant, singles } from "./variants.mjs";
import { deployedOf, streams, tables } from "./view.mjs";

const { template } = load();
const [first] = singles(template);

function deployedWith(parameters, group) {
  const variant = { ...first, parameters: { ...first.parameters, ...parameters } };
  return evaluateVariant(template, variant, group);
}

function tableOf(deployed, table) {
  const made = deployedOf(deployed.instances, "Microsoft.OperationalInsights/workspaces/tables");
  return made.find(({ name }) => name.endsWith(`/${table}`)).body.properties;
}

test("columns of one's own stay, beside the connector's and only in their table", () => {
  const own = [
    { name: "Ticket", type: "string", description: "Ours" },
    { name: "Seen", type: "datetime" },
    // Names of columns do not depend on case. The connector's own type wins.
    { name: "GUID", type: "int" },
  ];
  const plain = deployedWith({});
  const more = deployedWith({ additionalColumns: { message: own } });
  const expected = { ...tables(plain).ProofpointPODMessage_CL, Ticket: "string", Seen: "dateTime" };
  assert.deepEqual(tables(more).ProofpointPODMessage_CL, expected);
  const { columns } = tableOf(more, "ProofpointPODMessage_CL").schema;
  assert.equal(columns.find(({ name }) => name === "Ticket").description, "Ours");
  assert.deepEqual(tables(more).ProofpointPODMailLog_CL, tables(plain).ProofpointPODMailLog_CL);
  assert.deepEqual(streams(more), streams(plain), "the connector does not send them");
});

test("a table can have a plan of its own", () => {
  const deployed = deployedWith({ tablePlans: { mailLog: "Basic" }, tableRetentionInDays: 90 });
  const [message, mailLog] = ["Message", "MailLog"].map((name) =>
    tableOf(deployed, `ProofpointPOD${name}_CL`),
  );
  assert.deepEqual([message.plan, message.retentionInDays], ["Analytics", 90]);
  // The plan Basic has an interactive retention that can't be set.
  assert.deepEqual([mailLog.plan, mailLog.retentionInDays], ["Basic", null]);
  const rules = deployedOf(deployed.instances, "Microsoft.SecurityInsights/alertRules");
  assert.deepEqual(rules, [], "rules can't read a table of the plan Basic");
});

test("the workspace's retention is asked for, and not left as it was", () => {
  for (const days of [-1, 4, 730]) {
    const deployed = deployedWith({ tableRetentionInDays: days, tableTotalRetentionInDays: days });
    const { retentionInDays, totalRetentionInDays } = tableOf(deployed, "ProofpointPODAudit_CL");
    assert.deepEqual([retentionInDays, totalRetentionInDays], [days, days]);
  }
});

test("a transformation is that of its stream alone", () => {
  const query = "source | where isnotempty(sm.qid)";
  const deployed = deployedWith({ transformations: { mailLog: query } });
  const [rule] = deployedOf(deployed.instances, "Microsoft.Insights/dataCollectionRules");
  const flows = rule.body.properties.dataFlows.map(({ streams: [stream], transformKql }) => [
    stream,
    transformKql,
  ]);
  assert.deepEqual(flows, [
    ["Custom-ProofpointPODMessage_CL", "source"],
    ["Custom-ProofpointPODMailLog_CL", query],
    ["Custom-ProofpointPODAudit_CL", "source"],
  ]);
});

test("diagnostic settings can be left to somebody else", () => {
  const settings = (deployed) =>
    deployedOf(deployed.instances, "Microsoft.Insights/diagnosticSettings").length;
  assert.equal(settings(deployedWith({})), 2);
  assert.equal(settings(deployedWith({ diagnosticSettings: false })), 0);
});

test("Flex Consumption gets no property that it does not take", () => {
  const siteOf = (parameters) => {
    const [site] = deployedOf(deployedWith(parameters).instances, "Microsoft.Web/sites");
    return Object.keys(site.body.properties.siteConfig);
  };
  const others = ["http20Enabled", "remoteDebuggingEnabled"];
  const [flex, premium] = [{}, { hostingPlan: "ElasticPremium" }].map(siteOf);
  assert.deepEqual(
    others.filter((name) => flex.includes(name)),
    [],
  );
  assert.deepEqual(
    others.filter((name) => premium.includes(name)),
    others,
  );
});

test("roles have time to take effect before the app gets settings and package", () => {
  const { instances } = deployedWith({});
  const before = (instance, found = new Set()) => {
    for (const other of instance.dependsOn.flatMap(({ on }) => on)) {
      if (!found.has(other)) {
        found.add(other);
        before(other, found);
      }
    }
    return [...found].map(({ name }) => name);
  };
  const [settings] = deployedOf(instances, "Microsoft.Web/sites/config");
  const content = before(settings).find((name) => /content/i.test(name));
  assert.ok(content, `settings come after ${before(settings)}`);
  const deployment = instances.find(({ name }) => name === content);
  assert.ok(
    before(deployment).some((name) => /roles/i.test(name)),
    "and that after the roles",
  );
});

test("names are the same however the workspace's id is spelt", () => {
  const names = (workspaceResourceId) =>
    deployedWith({ workspaceResourceId })
      .instances.filter(({ type }) => /roleAssignments$|workbooks$/i.test(type))
      .map(({ type, name }) => `${type} ${name}`);
  const id = first.parameters.workspaceResourceId;
  const group = id.split("/")[4];
  assert.notEqual(group, group.toUpperCase());
  const spelt = names(id.replace(`/${group}/`, `/${group.toUpperCase()}/`));
  assert.deepEqual(spelt, names(id));
  assert.ok(spelt.length >= 6);
});
