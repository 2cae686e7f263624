// The wizard and the template match: the template accepts the wizard's outputs for all answers.

import { ExpressionError, isExpression, parse, TemplateError, walk } from "../expression.mjs";
import { faultOf, isSecure } from "../parameters.mjs";
import { evaluateVariant, refusalOf, SUBNET, workspaceIn } from "../variants.mjs";
import { elements, options, outputs, Refused, WIZARD_FUNCTIONS } from "../wizard.mjs";
import { texts } from "./expressions.mjs";

const HEAD = {
  $schema:
    "https://schema.management.azure.com/schemas/0.1.2-preview/CreateUIDefinition.MultiVm.json#",
  handler: "Microsoft.Azure.CreateUIDef",
  version: "0.1.2-preview",
};

const PASSWORD = "Microsoft.Common.PasswordBox";

/** Members of an element's value, if it has several. */
const MEMBERS = { "Microsoft.Solutions.ResourceSelector": ["id", "name", "location"] };

/** The elements that an expression uses, as `[step, name, member]`. */
function asked(tree) {
  const list = [];
  const seen = new Set();
  walk(tree, (node) => {
    const [outer, inner] = [node, node.of].map((each) =>
      each?.member ? each.member.literal : undefined,
    );
    const call = (each) => each?.call?.toLowerCase();
    if (call(node.of?.of) === "steps" || call(node.of) === "basics") {
      const isStep = call(node.of.of) === "steps";
      const source = isStep ? node.of.of : node.of;
      seen.add(source);
      list.push(
        isStep
          ? [source.args[0]?.literal, inner, outer]
          : ["basics", source.args[0]?.literal, outer],
      );
    } else if (call(node.of) === "steps" && !seen.has(node.of)) {
      seen.add(node.of);
      list.push([node.of.args[0]?.literal, outer]);
    } else if (call(node) === "basics" && !seen.has(node)) {
      list.push(["basics", node.args[0]?.literal]);
    } else if (call(node) === "steps" && !seen.has(node)) {
      list.push([node.args[0]?.literal, undefined]);
    }
  });
  return list;
}

/** Calls `visit(tree, text, pointer)` with every expression of the wizard that parses. */
function expressions(wizard, visit, failed = () => {}) {
  texts(
    wizard.parameters,
    (text, pointer) => {
      if (!isExpression(text) || /\.regex$/.test(pointer)) {
        return;
      }
      try {
        visit(parse(text), text, pointer);
      } catch (error) {
        if (!(error instanceof ExpressionError)) {
          throw error;
        }
        failed(`${pointer}: ${text} ${error.message}`);
      }
    },
    "$.parameters",
  );
}

export function wizardFindings({ template, wizard }) {
  const findings = Object.entries(HEAD)
    .filter(([key, value]) => wizard[key] !== value)
    .map(([key]) => `the wizard's ${key} is ${wizard[key]}`);
  const list = elements(wizard);
  const find = (step, name) =>
    list.find((each) => each.step === step && each.element.name === name)?.element;
  for (const { step, element, pointer } of list) {
    if (find(step, element.name) !== element) {
      findings.push(`${pointer}: there are two elements ${element.name} in the step ${step}`);
    }
    findings.push(...patternFindings(element, pointer));
  }
  expressions(
    wizard,
    (tree, text, pointer) => {
      walk(tree, ({ call, args }) => {
        const known = call && WIZARD_FUNCTIONS[call.toLowerCase()];
        if (call && !known) {
          findings.push(`${pointer}: ${text} calls ${call}(), which the portal does not know`);
        } else if (known && (args.length < known.arity[0] || args.length > known.arity[1])) {
          findings.push(`${pointer}: ${text} calls ${call}() with ${args.length} arguments`);
        }
      });
      for (const [step, name, more] of asked(tree)) {
        const element = find(step, name);
        if (!element) {
          findings.push(`${pointer}: ${text} asks for ${step}.${name}, which does not exist`);
        } else if (more !== undefined && !MEMBERS[element.type]?.includes(more)) {
          findings.push(`${pointer}: ${text} asks ${step}.${name} for its ${more}`);
        }
      }
    },
    (failure) => findings.push(failure),
  );
  return [...findings, ...outputFindings({ template, wizard }, find)];
}

function patternFindings({ name, constraints }, pointer) {
  const { regex, validations = [] } = constraints ?? {};
  return [regex, ...validations.map((each) => each.regex)].filter(Boolean).flatMap((pattern) => {
    try {
      new RegExp(pattern);
    } catch (error) {
      return [`${pointer} (${name}): ${error.message}`];
    }
    return pattern.startsWith("^") && pattern.endsWith("$")
      ? []
      : [`${pointer} (${name}): ${pattern} takes anything around it`];
  });
}

/** Each parameter has an output, and each output a parameter. Secrets come from password boxes. */
function outputFindings({ template, wizard }, find) {
  const findings = [];
  const { outputs: given } = wizard.parameters;
  findings.push(
    ...Object.keys(given)
      .filter((name) => !template.parameters[name])
      .map((name) => `the wizard gives ${name}, which the template does not take`),
  );
  findings.push(
    ...Object.keys(template.parameters)
      .filter((name) => !(name in given))
      .map((name) => `the wizard does not give the parameter ${name}`),
  );
  const shown = new Set();
  for (const [name, text] of Object.entries(given)) {
    const declared = template.parameters[name];
    if (!declared || !isExpression(text)) {
      continue;
    }
    try {
      const sources = asked(parse(text))
        .map(([step, element]) => find(step, element))
        .filter(Boolean);
      sources.forEach((element) => shown.add(element));
      const fromPassword = sources.some(({ type }) => type === PASSWORD);
      if (fromPassword !== isSecure(declared)) {
        findings.push(
          `the output ${name} ${fromPassword ? "comes" : "does not come"} from a password box, and the parameter is a ${declared.type}`,
        );
      }
    } catch (error) {
      if (!(error instanceof ExpressionError)) {
        throw error;
      }
    }
  }
  return findings;
}

export const LEAST_ANSWERS = {
  basics: {
    workspace: {
      id: workspaceIn("11111111-1111-1111-1111-111111111111"),
      name: "soc-workspace",
      location: "westeurope",
    },
  },
  proofpoint: { clusterId: "acme_hosted", token: "marker-of-token" },
};

function withAnswer(answers, step, name, value) {
  return { ...answers, [step]: { ...answers[step], [name]: value } };
}

function subsets(items) {
  let sets = [[]];
  for (const item of items) {
    sets = [...sets, ...sets.map((set) => [...set, item])];
  }
  return sets.filter((set) => set.length > 0);
}

/** Answers that select each choice once, with the fields that it shows. */
function filledIn(wizard) {
  const all = elements(wizard);
  const boxes = all.filter(({ element }) => element.type === "Microsoft.Common.CheckBox");
  const ticked = boxes.map(({ step, element }) =>
    withAnswer(LEAST_ANSWERS, step, element.name, true),
  );
  const chosen = [LEAST_ANSWERS, ...MORE_ANSWERS].flatMap((base) => [
    base,
    ...all.flatMap(({ step, element }) => {
      const values = element.multiselect ? subsets(options(element)) : options(element);
      return values.map((value) => withAnswer(base, step, element.name, value));
    }),
  ]);
  return [...ticked, ...chosen];
}

/** Answers to fields that only appear after another answer. */
export const MORE_ANSWERS = [
  {
    ...LEAST_ANSWERS,
    clusters: {
      second: true,
      secondName: "emea",
      secondId: "acme_emea",
      secondToken: "marker-of-token-emea",
      third: true,
      thirdName: "apac",
      thirdId: "acme_apac",
      thirdToken: "",
    },
    tap: { collect: true, principal: "a-principal", secret: "marker-of-tap-secret" },
    hosting: { plan: "ElasticPremium" },
    network: {
      subnetId: SUBNET,
      useProxy: true,
      proxy: "http://marker:proxy@proxy.example:3128",
      noProxy: "10.0.0.0/8",
    },
  },
  {
    ...LEAST_ANSWERS,
    proofpoint: { tapAlone: true },
    tap: { collect: true, principal: "a-principal", keepSecret: true },
  },
  {
    ...LEAST_ANSWERS,
    proofpoint: {
      clusterId: "acme_hosted",
      keepToken: true,
      schedule: "custom",
      customSchedule: "0 */7 * * * *",
    },
    tables: {
      destination: "data-collector",
      legacyWorkspaceKey: Buffer.from("marker of the workspace key").toString("base64"),
    },
    network: { subnetId: SUBNET },
  },
];

/** The wizard's outputs have the parameters' types, are within their limits, and deploy. */
export function answerFindings({ template, wizard }) {
  const findings = [];
  const seen = new Map();
  for (const answers of filledIn(wizard)) {
    for (const sparse of [false, true]) {
      try {
        const given = outputs(wizard, answers, { location: "westeurope", sparse });
        const faults = faultsOf(given, template);
        findings.push(...faults);
        Object.entries(given).forEach(([name, value]) =>
          (seen.get(name) ?? seen.set(name, new Set()).get(name)).add(value),
        );
        // Other checks deploy each value on its own.
        if (faults.length === 0 && MORE_ANSWERS.includes(answers)) {
          evaluateVariant(template, { parameters: given, cloud: "public" });
        }
      } catch (error) {
        if (error instanceof ExpressionError || error instanceof TemplateError) {
          findings.push(error.message);
        } else if (!(error instanceof Refused)) {
          throw error;
        }
      }
    }
  }
  for (const [name, { allowedValues = [] }] of Object.entries(template.parameters)) {
    const missing = allowedValues.filter((value) => !seen.get(name)?.has(value));
    findings.push(
      ...missing.map(
        (value) => `no answers in the wizard give the parameter ${name} its value ${value}`,
      ),
    );
  }
  return [
    ...new Set([
      ...findings,
      ...defaultFindings({ template, wizard }),
      ...numberFindings({ template, wizard }),
    ]),
  ];
}

/** The errors of the outputs for the template. */
export function faultsOf(given, template) {
  const { parameters } = template;
  const faults = Object.entries(given).flatMap(([name, value]) => {
    const fault = parameters[name] && faultOf(value, parameters[name]);
    return fault ? [`the wizard gives the parameter ${name} ${fault}`] : [];
  });
  const refusal = faults.length === 0 && refusalOf(template, given);
  return refusal ? [`the template refuses what the wizard gives: ${refusal}`] : faults;
}

/** The pattern of a box; a box with several rules has it in one of them. */
export function patternOf({ constraints }) {
  return constraints?.regex ?? constraints?.validations?.find(({ regex }) => regex)?.regex;
}

/** A number box accepts the parameter's minimum and maximum, and nothing beyond. */
function numberFindings({ template, wizard }) {
  const all = elements(wizard);
  return Object.entries(wizard.parameters.outputs).flatMap(([name, text]) => {
    const declared = template.parameters[name];
    const [step, box] =
      declared?.type === "int" && isExpression(text) ? (asked(parse(text))[0] ?? []) : [];
    const found = all.find((each) => each.step === step && each.element.name === box);
    const pattern = found && patternOf(found.element);
    if (!pattern) {
      return [];
    }
    const taken = (number) => new RegExp(pattern).test(String(number));
    const limits = [declared.minValue, declared.maxValue];
    const refused = limits
      .filter((limit) => !taken(limit))
      .map((limit) => `the wizard refuses ${limit} for the parameter ${name}`);
    const beyond = [-2, -1, 0, ...limits.map((limit, at) => limit + 2 * at - 1), 10 * limits[1]]
      .filter((number) => taken(number) && faultOf(number, declared))
      .map((number) => `the wizard takes ${number} for the parameter ${name}`);
    return [...refused, ...new Set(beyond)];
  });
}

/** The wizard's defaults give the same result as the defaults of the command line. */
function defaultFindings({ template, wizard }) {
  const given = outputs(wizard, LEAST_ANSWERS, { location: "westeurope", sparse: false });
  return Object.entries(template.parameters).flatMap(([name, { defaultValue }]) => {
    const literal =
      defaultValue !== undefined &&
      !(typeof defaultValue === "string" && isExpression(defaultValue)) &&
      // The least answers have a cluster; without one there is TAP alone.
      !["clusterId", "proofpointToken"].includes(name);
    const isEmptyList = name === "additionalClusters" && given[name]?.clusters?.length === 0;
    return literal && !isEmptyList && JSON.stringify(given[name]) !== JSON.stringify(defaultValue)
      ? [
          `untouched, the wizard gives the parameter ${name} ${JSON.stringify(given[name])}, where its default is ${JSON.stringify(defaultValue)}`,
        ]
      : [];
  });
}
