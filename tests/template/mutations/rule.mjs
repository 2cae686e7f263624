import { replaceAll, rule, ruleVariables, variables } from "./parts.mjs";

export const RULE = [
  [
    "a stream that lacks a column",
    (p) => {
      const [stream] = Object.values(ruleVariables(p).ownStreams);
      stream.columns = stream.columns.replace(/^\[(.*)\]$/, "[skip($1, 3)]");
    },
    /the column guid is not in the stream/,
  ],
  [
    "a column of another type",
    (p) => {
      const [stream] = Object.values(ruleVariables(p).ownStreams);
      stream.columns = [{ name: "TimeGenerated", type: "string" }];
    },
    /the column TimeGenerated is string in the stream/,
  ],
  [
    "a table with a type that only streams spell so",
    (p) => {
      variables(p).podColumns.ProofpointPODAudit_CL[0].type = "datetime";
    },
    /TimeGenerated of the table ProofpointPODAudit_CL has the type datetime/,
  ],
  [
    "a stream with a type that only tables spell so",
    (p) => replaceAll(variables(p), "streamColumns", "toLower(", "string("),
    /the stream Custom-ProofpointPODMessage_CL has the type dateTime/,
  ],
  [
    "a transformation for which there is no parameter",
    (p) => {
      ruleVariables(p).ownFlows[1].transformKql = "source";
    },
    /the rule does not use the transformation of ProofpointPODMailLog_CL/,
  ],
  [
    "a TAP table that lacks its time",
    (p) => {
      variables(p).tapColumns.ProofPointTAPClicksBlockedV2_CL =
        "[skip(variables('tapClickColumns'), 1)]";
    },
    /the table ProofPointTAPClicksBlockedV2_CL has no TimeGenerated/,
  ],
  [
    "a TAP stream that flows nowhere",
    (p) => {
      ruleVariables(p).tapFlows = "[createArray()]";
    },
    /the stream Custom-ProofPointTAP\w+ flows nowhere/,
  ],
  ["a stream that flows nowhere", (p) => ruleVariables(p).ownFlows.pop(), /flows nowhere/],
  [
    "a flow to a table that is not made",
    (p) => {
      ruleVariables(p).ownFlows[0].outputStream = "Custom-Other_CL";
    },
    /to the table Other_CL, which is not made/,
  ],
  [
    "a flow to no destination",
    (p) => {
      ruleVariables(p).ownFlows[0].destinations = ["other"];
    },
    /leads to other, which is no destination/,
  ],
  [
    "a table whose schema has another name",
    (p) =>
      replaceAll(
        variables(p),
        "tables",
        "'name', lambdaVariables('table').key",
        "'name', 'Other_CL'",
      ),
    /is named Other_CL/,
  ],
  [
    "a rule in the app's region",
    (p) => {
      rule(p).location = "westeurope";
    },
    /the rule is in westeurope, its workspace in/,
  ],
];
