// The data collection rule and the tables: every stream is declared, has a data flow, and has a table
// with the same columns. tests/it/template.rs compares them with what the program sends.

import { deployedOf, streams, tables } from "../view.mjs";

/** The types of columns, as Azure's own definitions of each resource spell them. */
const TABLE_TYPES = ["boolean", "dateTime", "dynamic", "int", "long", "real", "string"];
const STREAM_TYPES = TABLE_TYPES.map((type) => type.toLowerCase());

export function ruleFindings({ deployed, variant }) {
  const findings = [];
  const declared = streams(deployed);
  const made = tables(deployed);
  const { additionalColumns: added = {}, transformations = {} } = variant.parameters;
  for (const rule of deployedOf(deployed.instances, "Microsoft.Insights/dataCollectionRules")) {
    const { dataFlows, destinations, streamDeclarations } = rule.body.properties;
    const targets = new Set(
      Object.values(destinations)
        .flat()
        .map(({ name }) => name),
    );
    for (const { streams: sources, destinations: to, outputStream, transformKql } of dataFlows) {
      const table = outputStream.replace(/^Custom-/, "");
      if (transformKql !== (transformations[table] ?? "source")) {
        findings.push(`the rule does not use the transformation of ${table}`);
      }
      findings.push(
        ...to
          .filter((name) => !targets.has(name))
          .map((name) => `a flow leads to ${name}, which is no destination`),
      );
      findings.push(
        ...sources
          .filter((stream) => !declared[stream])
          .map((stream) => `a flow comes from ${stream}, which is not declared`),
      );
      if (!made[table]) {
        findings.push(`a flow leads to the table ${table}, which is not made`);
        continue;
      }
      for (const stream of sources.filter((name) => declared[name])) {
        findings.push(
          ...differences(
            `the stream ${stream}`,
            declared[stream],
            `the table ${table}`,
            without(made[table], added[table], declared[stream]),
          ),
        );
      }
    }
    for (const { workspaceResourceId } of destinations.logAnalytics) {
      findings.push(...placeFindings(rule, workspaceResourceId, deployed.world));
    }
    for (const [stream, columns] of Object.entries(declared)) {
      findings.push(...typeFindings(`the stream ${stream}`, columns, STREAM_TYPES));
    }
    const flowing = new Set(dataFlows.flatMap((flow) => flow.streams));
    findings.push(
      ...Object.keys(streamDeclarations)
        .filter((stream) => !flowing.has(stream))
        .map((stream) => `the stream ${stream} flows nowhere`),
    );
  }
  for (const { name, body } of deployedOf(
    deployed.instances,
    "Microsoft.OperationalInsights/workspaces/tables",
  )) {
    const table = name.split("/")[1];
    if (body.properties.schema.name !== table) {
      findings.push(`the schema of the table ${table} is named ${body.properties.schema.name}`);
    }
    findings.push(...typeFindings(`the table ${table}`, made[table], TABLE_TYPES));
    if (made[table].TimeGenerated !== "dateTime") {
      findings.push(`the table ${table} has no TimeGenerated`);
    }
  }
  return findings;
}

function typeFindings(where, columns, types) {
  return Object.entries(columns)
    .filter(([, type]) => !types.includes(type))
    .map(([name, type]) => `the column ${name} of ${where} has the type ${type}, which is unknown`);
}

/** A rule is in the resource group and region of the workspace that it writes to. */
function placeFindings({ pointer, id, body }, workspace, { cloud }) {
  const group = (text) => text.toLowerCase().split("/providers/")[0];
  const findings =
    group(id) === group(workspace)
      ? []
      : [`${pointer}: the rule is in ${group(id)}, its workspace in ${group(workspace)}`];
  return body.location === cloud.elsewhere
    ? findings
    : [
        ...findings,
        `${pointer}: the rule is in ${body.location}, its workspace in ${cloud.elsewhere}`,
      ];
}

/** The connector's columns: nothing that it sends goes into those that the customer added. */
function without(columns, added = [], own) {
  const names = added.map(({ name }) => name).filter((name) => !(name in own));
  return Object.fromEntries(Object.entries(columns).filter(([name]) => !names.includes(name)));
}

/** Azure silently drops a column that the table lacks. */
function differences(left, columns, right, others) {
  return [...new Set([...Object.keys(columns), ...Object.keys(others)])]
    .filter((name) => columns[name]?.toLowerCase() !== others[name]?.toLowerCase())
    .map(
      (name) =>
        `the column ${name} is ${columns[name] ?? "not"} in ${left} and ${others[name] ?? "not"} in ${right}`,
    );
}
