import { replaceAll, set, site, variables } from "./parts.mjs";

export const SETTINGS = [
  [
    "a setting that Flex Consumption refuses",
    (p) => set(p, "FUNCTIONS_WORKER_RUNTIME", "custom"),
    /Flex Consumption refuses the setting FUNCTIONS_WORKER_RUNTIME/,
  ],
  [
    "a property of the site's configuration that Flex Consumption refuses",
    (p) => {
      variables(p).siteConfig.remoteDebuggingEnabled = false;
    },
    /Flex Consumption refuses remoteDebuggingEnabled/,
  ],
  [
    "a property of the site that Flex Consumption refuses",
    (p) => {
      site(p).properties.outboundVnetRouting = { applicationTraffic: true };
    },
    /Flex Consumption refuses outboundVnetRouting/,
  ],
  [
    "a plan other than Flex Consumption without its settings",
    (p) =>
      replaceAll(variables(p), "premiumSettings", "'FUNCTIONS_WORKER_RUNTIME', 'custom', ", ""),
    /needs the setting FUNCTIONS_WORKER_RUNTIME/,
  ],
  [
    "a setting with a typo in its name",
    (p) => set(p, "ProofpointEventType", "message"),
    /nothing reads the setting ProofpointEventType/,
  ],
  [
    "a setting that is a number",
    (p) => set(p, "ProofpointLiveQuietSeconds", 20),
    /ProofpointLiveQuietSeconds is no text/,
  ],
  [
    "a setting that the function needs",
    (p) => {
      delete variables(p).settings.ProofpointSchedule;
    },
    /function.json needs the setting ProofpointSchedule/,
  ],
  [
    "a reference to no secret",
    (p) => set(p, "ProofpointToken", "[concat(variables('secretReference'), 'Token)')]"),
    /refers to the secret Token, which nothing sets/,
  ],
  [
    "a reference that the platform does not take",
    (p) => set(p, "ProofpointToken", "[concat(variables('secretReference'), 'ProofpointToken')]"),
    /no reference that the platform takes/,
  ],
  [
    "a missing cloud setting for the program",
    (p) => {
      delete variables(p).settings.AZURE_CLOUD;
    },
    /AZURE_CLOUD is public in the cloud usgov/,
  ],
  [
    "another runtime",
    (p) => {
      variables(p).functionAppConfig.runtime.version = "2.0";
    },
    /not custom 1.0/,
  ],
];
