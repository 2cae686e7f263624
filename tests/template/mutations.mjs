// Deliberate breakages of the template and the wizard, each with a finding that it must lead to.

/** Every object in a template of the type, nested deployments included. */
function all(value, type) {
  if (value === null || typeof value !== "object") {
    return [];
  }
  const own = value.type?.toLowerCase?.() === type.toLowerCase() && "apiVersion" in value ? [value] : [];
  return [...own, ...Object.values(value).flatMap((member) => all(member, type))];
}

const one = (project, type, text = "") =>
  all(project.template, type).find((resource) => JSON.stringify(resource).includes(text));

const site = (project) => one(project, "Microsoft.Web/sites");
const settings = (project) => one(project, "Microsoft.Web/sites/config");
const rule = (project) => one(project, "Microsoft.Insights/dataCollectionRules");
const role = (project, name) => one(project, "Microsoft.Authorization/roleAssignments", name);
const nested = (project, type, text = "") => all(project.template, "Microsoft.Resources/deployments")
  .find((each) => all(each.properties.template, type).some((resource) => JSON.stringify(resource).includes(text)));
const variables = (project) => project.template.variables;
const parameters = (project) => project.template.parameters;
const given = (project) => project.wizard.parameters.outputs;

function without(resource, text) {
  resource.dependsOn = resource.dependsOn.filter((each) => !each.includes(text));
}

function element(project, name) {
  const { basics, steps } = project.wizard.parameters;
  return [...basics, ...steps.flatMap((step) => step.elements)].find((each) => each.name === name);
}

function replaceAll(object, key, old, fresh) {
  object[key] = JSON.parse(JSON.stringify(object[key]).replaceAll(old, fresh));
}

/** Replaces the value of a setting, wherever it stands. */
function set(project, name, value) {
  variables(project).settings[name] = value;
}

export const MUTATIONS = [
  // Order
  ["the app does not wait for its plan", (p) => without(site(p), "serverfarms"), /must depend on Microsoft.Web\/serverfarms/],
  ["the app does not wait for its container", (p) => without(site(p), "containers"), /must depend on .*containers .*: its settings name the container|its properties name it/],
  ["settings do not wait for the roles", (p) => without(settings(p), "Microsoft.Resources/deployments"), /must depend on Microsoft.Authorization\/roleAssignments/],
  ["settings do not wait for a secret", (p) => without(settings(p), "'ProofpointProxy'"), /must depend on Microsoft.KeyVault\/vaults\/secrets .*ProofpointProxy/],
  ["settings do not wait for the secrets of a loop", (p) => without(settings(p), "clusterTokens"), /must depend on Microsoft.KeyVault\/vaults\/secrets .*emea/],
  ["the program does not wait for its settings", (p) => { one(p, "Microsoft.Web/sites/extensions").dependsOn = []; }, /must depend on Microsoft.Web\/sites\/config/],
  ["the rule does not wait for its tables", (p) => { delete nested(p, "Microsoft.Insights/dataCollectionRules").dependsOn; all(p.template, "Microsoft.Insights/dataCollectionRules").forEach((each) => delete each.dependsOn); }, /must depend on Microsoft.OperationalInsights\/workspaces\/tables/],
  ["a part does not wait for its whole", (p) => { delete one(p, "Microsoft.KeyVault/vaults/secrets").dependsOn; }, /must depend on Microsoft.KeyVault\/vaults .*: it is a part of it/],
  ["an extension does not wait for what it extends", (p) => { delete one(p, "Microsoft.Insights/diagnosticSettings", "vaults/").dependsOn; }, /to-workspace.* must depend on Microsoft.KeyVault\/vaults/],
  ["something depends on what does not exist", (p) => settings(p).dependsOn.push("[resourceId('Microsoft.Web/sites', 'other')]"), /depends on .*other, which the template does not deploy/],
  ["something depends on a loop that does not exist", (p) => replaceAll(settings(p), "dependsOn", "clusterTokens", "clusterToken"), /depends on clusterToken,/],
  ["two resources wait for each other", (p) => { one(p, "Microsoft.Web/serverfarms").dependsOn = ["[resourceId('Microsoft.Web/sites', variables('functionAppName'))]"]; }, /cycle of dependencies/],
  ["a part of something that is not there", (p) => { one(p, "Microsoft.Web/sites/basicPublishingCredentialsPolicies").name = "other/ftp"; }, /is a part of .*other, which is neither/],

  // Expressions
  ["an id with a name too many", (p) => replaceAll(site(p).properties, "serverFarmId", "variables('planName')", "variables('planName'), 'x'"), /2 names for the type Microsoft.Web\/serverfarms/],
  ["an id with a name too few", (p) => replaceAll(settings(p), "dependsOn", ", 'ProofpointToken')", ")"), /1 names for the type/],
  ["a parameter that does not exist", (p) => { site(p).location = "[parameters('region')]"; }, /parameters region, which does not exist/],
  ["a parameter that nothing uses", (p) => { parameters(p).other = { type: "string", defaultValue: "", metadata: { description: "x" } }; }, /parameters.other is used nowhere/],
  ["a variable that nothing uses", (p) => { variables(p).other = 1; }, /variables.other is used nowhere/],
  ["a nested parameter that is not declared", (p) => { nested(p, "Microsoft.Authorization/roleAssignments").properties.parameters.other = { value: 1 }; }, /has no parameter other/],
  ["a function that does not exist", (p) => { site(p).location = "[tolowercase(parameters('location'))]"; }, /tolowercase\(\), which is not known/],
  ["a bracket that is not closed", (p) => { site(p).location = "[toLower(parameters('location')]"; }, /lacks a \)/],
  ["an expression without its end", (p) => { site(p).location = "[parameters('location')"; }, /only one of an expression's brackets/],
  ["an argument too many", (p) => { site(p).location = "[toLower(parameters('location'), 'x')]"; }, /toLower\(\) with 2 arguments/],
  ["a member that no resource has", (p) => replaceAll(p.template, "outputs", ".identity.principalId", ".identity.clientId"), /asks for the member "clientId"/],
  ["a reference to what is not deployed", (p) => { p.template.outputs.x = { type: "string", value: "[reference(resourceId('Microsoft.Web/sites', 'other'), '2024-04-01').state]" }; }, /neither deployed nor there already/],
  ["a reference in a variable", (p) => { variables(p).planName = "[reference(resourceId('Microsoft.KeyVault/vaults', variables('keyVaultName')), '2022-07-01').vaultUri]"; }, /nothing is deployed yet/],
  ["an identity that is not asked for", (p) => { delete site(p).identity; }, /asks for the member "identity"/],
  ["a rule without an endpoint of its own", (p) => { delete rule(p).kind; }, /asks for the member "endpoints"/],
  ["the same role twice", (p) => { const twin = structuredClone(role(p, "keyVault')")); nested(p, twin.type, "keyVault')").properties.template.resources.push(twin); }, /is deployed twice/],

  // Form
  ["a key twice", (p) => { p.texts["azuredeploy.json"] = p.texts["azuredeploy.json"].replace('"variables": {', '"variables": {"flex": true, '); }, /flex stands there twice/],
  ["a comment", (p) => { p.texts["createUiDefinition.json"] = `// x\n${p.texts["createUiDefinition.json"]}`; }, /createUiDefinition.json:1:1: InvalidCommentToken/],
  ["a comma at the end", (p) => { p.texts["azuredeploy.json"] = p.texts["azuredeploy.json"].replace(/\}\s*$/, ",}"); }, /azuredeploy.json:\d+:\d+: /],
  ["a preview of an API", (p) => { site(p).apiVersion = "2024-04-01-preview"; }, /apiVersion is 2024-04-01-preview/],
  ["a parameter without a description", (p) => { delete parameters(p).mode.metadata; }, /parameters.mode has no description/],
  ["a secret with a default", (p) => { parameters(p).proofpointToken.defaultValue = "x"; }, /proofpointToken is a secret with a default/],
  ["a host of one cloud", (p) => set(p, "AzureWebJobsStorage__blobServiceUri", "[concat('https://', variables('storageAccountName'), '.blob.core.windows.net')]"), /names windows.net, a host of one cloud/],

  // Names
  ["a storage account with a hyphen", (p) => { variables(p).storageAccountName = "[concat('st-', variables('unique'))]"; }, /can't be the name of a Microsoft.Storage\/storageAccounts/],
  ["a vault with a long name", (p) => { variables(p).keyVaultName = "[concat('keyvault', variables('prefix'), variables('unique'))]"; }, /can't be the name of a Microsoft.KeyVault\/vaults/],
  ["a rule with a long name", (p) => { variables(p).ruleName = "[concat('rule-of-proofpoint-', variables('unique'))]"; }, /can't be the name of a Microsoft.Insights\/dataCollectionRules/],
  ["an app with a long name", (p) => { variables(p).functionAppName = "[concat('function-app-of-', variables('stem'))]"; }, /is cut to 32 characters/],
  ["a role assignment with a name of its own", (p) => { role(p, "keyVault')").name = "reader"; }, /can't be the name of a Microsoft.Authorization/],
  ["a type whose names have no rule", (p) => p.template.resources.push({ type: "Microsoft.Cache/redis", apiVersion: "2024-03-01", name: "x", properties: {} }), /no rule for names of the type Microsoft.Cache/],

  // Secrets
  ["a token in the settings", (p) => set(p, "ProofpointToken", "[parameters('proofpointToken')]"), /shows a secret in properties.ProofpointToken/],
  ["a token in the settings, encoded", (p) => set(p, "StateContainer", "[base64(parameters('proofpointToken'))]"), /shows a secret in properties.StateContainer/],
  ["a token in an output", (p) => { p.template.outputs.x = { type: "string", value: "[parameters('proofpointToken')]" }; }, /outputs shows a secret/],
  ["a token in a tag", (p) => { site(p).tags = { owner: "[parameters('proofpointToken')]" }; }, /shows a secret in tags.owner/],
  ["a token in a nested deployment's history", (p) => { const deployment = nested(p, "Microsoft.Authorization/roleAssignments").properties; deployment.parameters.x = { value: "[parameters('proofpointToken')]" }; deployment.template.parameters.x = { type: "string" }; }, /the parameter x\) shows a secret/],
  ["an account's key in the settings", (p) => { settings(p).properties = settings(p).properties.replace("createObject('APPLICATIONINSIGHTS", "createObject('StateStorage', listKeys(resourceId('Microsoft.Storage/storageAccounts', variables('storageAccountName')), '2023-01-01').keys[0].value, 'APPLICATIONINSIGHTS"); }, /shows a secret in properties.StateStorage/],
  ["a secret that is no secure parameter", (p) => { parameters(p).legacyWorkspaceKey.type = "string"; }, /legacyWorkspaceKey is named like a secret|comes from a password box/],
  ["a deployment without a token empties it", (p) => { delete one(p, "Microsoft.KeyVault/vaults/secrets", "parameters('proofpointToken')").condition; }, /empties the secret .*ProofpointToken/],

  // Settings
  ["a setting that Flex Consumption refuses", (p) => set(p, "FUNCTIONS_WORKER_RUNTIME", "custom"), /Flex Consumption refuses the setting FUNCTIONS_WORKER_RUNTIME/],
  ["a plan other than Flex Consumption without its settings", (p) => replaceAll(variables(p), "premiumSettings", "'FUNCTIONS_WORKER_RUNTIME', 'custom', ", ""), /needs the setting FUNCTIONS_WORKER_RUNTIME/],
  ["a setting with a slip in its name", (p) => set(p, "ProofpointEventType", "message"), /nothing reads the setting ProofpointEventType/],
  ["a setting that is a number", (p) => set(p, "ProofpointLiveQuietSeconds", 20), /ProofpointLiveQuietSeconds is no text/],
  ["a setting that the function needs", (p) => { delete variables(p).settings.ProofpointSchedule; }, /function.json needs the setting ProofpointSchedule/],
  ["a reference to no secret", (p) => set(p, "ProofpointToken", "[concat(variables('secretReference'), 'Token)')]"), /refers to the secret Token, which nothing sets/],
  ["a reference that the platform does not take", (p) => set(p, "ProofpointToken", "[concat(variables('secretReference'), 'ProofpointToken')]"), /no reference that the platform takes/],
  ["a cloud that the program is not told", (p) => { delete variables(p).settings.AZURE_CLOUD; }, /AZURE_CLOUD is public in the cloud usgov/],
  ["another runtime", (p) => { variables(p).functionAppConfig.runtime.version = "2.0"; }, /not custom 1.0/],

  // Roles
  ["a role that is too much", (p) => replaceAll(nested(p, "Microsoft.Authorization/roleAssignments", "keyVault')").properties.template, "variables", "4633458b-17de-408a-b874-0445c86b69e6", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"), /for which the app has no use/],
  ["a role on the whole resource group", (p) => { delete role(p, "keyVault')").scope; }, /gives Key Vault Secrets User on/],
  ["a role for someone else", (p) => { role(p, "keyVault')").properties.principalId = "44444444-4444-4444-4444-444444444444"; }, /not the app's identity/],
  ["a role without the type of its principal", (p) => { delete role(p, "keyVault')").properties.principalType; }, /ServicePrincipal/],
  ["a role that is missing", (p) => { role(p, "keyVault')").condition = false; }, /lacks the role Key Vault Secrets User/],

  // The rule and the tables
  ["a stream that lacks a column", (p) => { const [stream] = Object.values(rule(p).properties.streamDeclarations); stream.columns = stream.columns.replace(/^\[(.*)\]$/, "[skip($1, 3)]"); }, /the column guid is not in the stream/],
  ["a column of another type", (p) => { const [stream] = Object.values(rule(p).properties.streamDeclarations); stream.columns = [{ name: "TimeGenerated", type: "string" }]; }, /the column TimeGenerated is string in the stream/],
  ["a stream that flows nowhere", (p) => rule(p).properties.dataFlows.pop(), /flows nowhere/],
  ["a flow to a table that is not made", (p) => { rule(p).properties.dataFlows[0].outputStream = "Custom-Other_CL"; }, /to the table Other_CL, which is not made/],
  ["a flow to no destination", (p) => { rule(p).properties.dataFlows[0].destinations = ["other"]; }, /leads to other, which is no destination/],
  ["a table whose schema has another name", (p) => replaceAll(one(p, "Microsoft.OperationalInsights/workspaces/tables"), "properties", "'name', 'ProofpointPODMessage_CL'", "'name', 'Other_CL'"), /is named Other_CL/],
  ["a rule in the app's region", (p) => { rule(p).location = "westeurope"; }, /the rule is in westeurope, its workspace in/],

  // The wizard
  ["a parameter that the wizard does not give", (p) => { delete given(p).mode; }, /does not give the parameter mode/],
  ["an output that the template does not take", (p) => { given(p).other = "[location()]"; }, /gives other, which the template does not take/],
  ["an element that does not exist", (p) => { given(p).mode = "[steps('advanced').modus]"; }, /asks for advanced.modus, which does not exist/],
  ["a step that does not exist", (p) => { given(p).mode = "[steps('expert').mode]"; }, /asks for expert.mode, which does not exist/],
  ["a member that an element does not have", (p) => { given(p).workspaceResourceId = "[basics('workspace').identifier]"; }, /for its identifier/],
  ["a function that the portal does not know", (p) => { given(p).location = "[uniqueString(location())]"; }, /uniqueString\(\), which the portal does not know/],
  ["an option that the template does not take", (p) => { element(p, "mode").constraints.allowedValues[0].value = "both"; }, /the value "both", which is none of/],
  ["a value that no option gives", (p) => parameters(p).mode.allowedValues.push("both"), /no answers in the wizard give the parameter mode its value both/],
  ["a default that is no option", (p) => { element(p, "mode").defaultValue = "hybrid"; }, /is the label of none of its options/],
  ["a default that is not the template's", (p) => { parameters(p).mode.defaultValue = "live"; }, /untouched, the wizard gives the parameter mode "hybrid"/],
  ["a number as a text", (p) => { given(p).secondReadHours = "[steps('advanced').secondReadHours]"; }, /type string, where it wants int/],
  ["a number that the wizard should refuse", (p) => { element(p, "secondReadHours").constraints.regex = "^[0-9]+$"; }, /takes 49 for the parameter secondReadHours/],
  ["a number that the wizard should take", (p) => { element(p, "secondReadHours").constraints.regex = "^[0-9]$"; }, /refuses 48 for the parameter secondReadHours/],
  ["a pattern without its ends", (p) => { element(p, "clusterId").constraints.regex = "[a-z]+"; }, /takes anything around it/],
  ["a pattern that is none", (p) => { element(p, "clusterId").constraints.regex = "^(a$"; }, /Invalid regular expression/],
  ["a secret in a plain box", (p) => { element(p, "token").type = "Microsoft.Common.TextBox"; }, /proofpointToken does not come from a password box/],
  ["a plain parameter from a password box", (p) => { parameters(p).proofpointToken.type = "string"; }, /proofpointToken is named like a secret|comes from a password box/],
  ["two elements of one name", (p) => { element(p, "customSchedule").name = "schedule"; }, /two elements schedule/],
  ["a hidden element that an output relies on", (p) => { given(p).premiumSku = "[steps('hosting').premiumSku]"; }, /premiumSku a value of the type null/],

  // The release
  ["another version's package", (p) => { p.version = "9.9.9"; }, /packageUri is .*, not .*9\.9\.9/],
  ["another home", (p) => { p.home = "https://example.com/other"; }, /packageUri is .*, not https:\/\/example.com/],
  ["another version of the template", (p) => { p.template.contentVersion = "9.9.9.0"; }, /contentVersion is 9.9.9.0/],
];
