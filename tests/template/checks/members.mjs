// The members of resources, which Azure Resource Manager checks before it deploys anything.

/** Every member that its template parser knows; it refuses a template with any other. */
const MEMBERS = new Set([
  "apiVersion",
  "asserts",
  "comments",
  "condition",
  "copy",
  "dependsOn",
  "extendedLocation",
  "identity",
  "kind",
  "location",
  "managedBy",
  "managedByExtended",
  "metadata",
  "name",
  "placement",
  "plan",
  "properties",
  "resourceGroup",
  "resources",
  "scale",
  "scope",
  "sku",
  "subscriptionId",
  "tags",
  "type",
  "zones",
]);

/** Types that have no location, by Azure's own type definitions. */
const WITHOUT_LOCATION = new Set([
  "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
  "Microsoft.Web/sites/config",
  "Microsoft.Web/sites/extensions",
]);

/** Findings about all resources of the template, and of the templates in it. */
export function memberFindings({ template }) {
  const findings = [];
  const look = (resources, pointer) => {
    resources.forEach((resource, position) => {
      const place = `${pointer}[${position}]`;
      for (const name of Object.keys(resource)) {
        if (!MEMBERS.has(name)) {
          findings.push(`${place}: ${resource.type} can't have the member ${name}`);
        }
      }
      if (resource.location && WITHOUT_LOCATION.has(resource.type)) {
        findings.push(`${place}: ${resource.type} has no location`);
      }
      look(resource.resources ?? [], `${place}.resources`);
      look(
        resource.properties?.template?.resources ?? [],
        `${place}.properties.template.resources`,
      );
    });
  };
  look(template.resources, "$.resources");
  return findings;
}
