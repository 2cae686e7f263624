import { element, given, parameters } from "./parts.mjs";

export const WIZARD = [
  [
    "a parameter that the wizard does not give",
    (p) => {
      delete given(p).mode;
    },
    /does not give the parameter mode/,
  ],
  [
    "an output that the template does not take",
    (p) => {
      given(p).other = "[location()]";
    },
    /gives other, which the template does not take/,
  ],
  [
    "an element that does not exist",
    (p) => {
      given(p).mode = "[steps('advanced').modus]";
    },
    /asks for advanced.modus, which does not exist/,
  ],
  [
    "a step that does not exist",
    (p) => {
      given(p).mode = "[steps('expert').mode]";
    },
    /asks for expert.mode, which does not exist/,
  ],
  [
    "a member that an element does not have",
    (p) => {
      given(p).workspaceResourceId = "[basics('workspace').identifier]";
    },
    /for its identifier/,
  ],
  [
    "a function that the portal does not know",
    (p) => {
      given(p).location = "[uniqueString(location())]";
    },
    /uniqueString\(\), which the portal does not know/,
  ],
  [
    "an option that the template does not take",
    (p) => {
      element(p, "mode").constraints.allowedValues[0].value = "both";
    },
    /the value "both", which is none of/,
  ],
  [
    "a value that no option gives",
    (p) => parameters(p).mode.allowedValues.push("both"),
    /no answers in the wizard give the parameter mode its value both/,
  ],
  [
    "a default that is no option",
    (p) => {
      element(p, "mode").defaultValue = "hybrid";
    },
    /is the label of none of its options/,
  ],
  [
    "a default that is not the template's",
    (p) => {
      parameters(p).mode.defaultValue = "live";
    },
    /untouched, the wizard gives the parameter mode "hybrid"/,
  ],
  [
    "a number as a text",
    (p) => {
      given(p).secondReadHours = "[steps('advanced').secondReadHours]";
    },
    /type string, where it wants int/,
  ],
  [
    "a number that the wizard should refuse",
    (p) => {
      element(p, "secondReadHours").constraints.regex = "^[0-9]+$";
    },
    /takes 49 for the parameter secondReadHours/,
  ],
  [
    "a number that the wizard should take",
    (p) => {
      element(p, "secondReadHours").constraints.regex = "^[0-9]$";
    },
    /refuses 48 for the parameter secondReadHours/,
  ],
  [
    "a pattern without its ends",
    (p) => {
      element(p, "clusterId").constraints.regex = "[a-z]+";
    },
    /takes anything around it/,
  ],
  [
    "a pattern that is none",
    (p) => {
      element(p, "clusterId").constraints.regex = "^(a$";
    },
    /Invalid regular expression/,
  ],
  [
    "a secret in a plain box",
    (p) => {
      element(p, "token").type = "Microsoft.Common.TextBox";
    },
    /proofpointToken does not come from a password box/,
  ],
  [
    "a plain parameter from a password box",
    (p) => {
      parameters(p).proofpointToken.type = "string";
    },
    /proofpointToken comes from a password box/,
  ],
  [
    "two elements of one name",
    (p) => {
      element(p, "customSchedule").name = "schedule";
    },
    /two elements schedule/,
  ],
  [
    "a hidden element that an output relies on",
    (p) => {
      given(p).premiumSku = "[steps('hosting').premiumSku]";
    },
    /premiumSku a value of the type null/,
  ],
];
