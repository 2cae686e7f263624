// Deliberate breakages of the template and the wizard: what it is, how it is done, and the finding
// that it must lead to. Each file is for the checks of the same name.

import { CONTENT } from "./mutations/content.mjs";
import { EXPRESSIONS } from "./mutations/expressions.mjs";
import { FORM } from "./mutations/form.mjs";
import { NAMES } from "./mutations/names.mjs";
import { ORDER } from "./mutations/order.mjs";
import { ROLES } from "./mutations/roles.mjs";
import { RULE } from "./mutations/rule.mjs";
import { SECRETS } from "./mutations/secrets.mjs";
import { SETTINGS } from "./mutations/settings.mjs";
import { WIZARD } from "./mutations/wizard.mjs";

export const MUTATIONS = [
  ...ORDER,
  ...CONTENT,
  ...EXPRESSIONS,
  ...FORM,
  ...NAMES,
  ...SECRETS,
  ...SETTINGS,
  ...ROLES,
  ...RULE,
  ...WIZARD,
];
