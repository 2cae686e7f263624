import { all, one, site } from "./parts.mjs";

export const MEMBERS = [
  [
    "a member that Azure Resource Manager does not know",
    (p) => {
      site(p).etag = "*";
    },
    /Microsoft.Web\/sites can't have the member etag/,
  ],
  [
    "such a member in a nested deployment",
    (p) => {
      one(p, "Microsoft.OperationalInsights/workspaces/savedSearches").etag = "*";
    },
    /savedSearches can't have the member etag/,
  ],
  [
    "a misspelt member",
    (p) => {
      site(p).dependson = [];
    },
    /can't have the member dependson/,
  ],
  [
    "the location of a resource that has none",
    (p) => {
      const [policy] = all(p.template, "Microsoft.Web/sites/basicPublishingCredentialsPolicies");
      policy.location = "westeurope";
    },
    /basicPublishingCredentialsPolicies has no location/,
  ],
];
