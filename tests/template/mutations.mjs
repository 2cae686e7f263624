// Deliberate faults in the template and the wizard: a name, the change, and the finding that a check
// must report. Each file belongs to the checks of the same name.

import { CONTENT } from "./mutations/content.mjs";
import { EXPRESSIONS } from "./mutations/expressions.mjs";
import { FORM } from "./mutations/form.mjs";
import { MEMBERS } from "./mutations/members.mjs";
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
  ...MEMBERS,
  ...NAMES,
  ...SECRETS,
  ...SETTINGS,
  ...ROLES,
  ...RULE,
  ...WIZARD,
];
