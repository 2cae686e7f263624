// The form of the two files, before anything in them is evaluated.

import { isDeepStrictEqual } from "node:util";

import { printParseErrorCode, visit } from "jsonc-parser";

import { isSecure } from "../parameters.mjs";
import { texts } from "./expressions.mjs";

/** Strict JSON without duplicate keys in an object, ignoring case. */
export function jsonFindings({ texts: files }) {
  return Object.entries(files).flatMap(([file, text]) => {
    const findings = [];
    const keys = [];
    const where = (line, column) => `${file}:${line + 1}:${column + 1}`;
    visit(
      text,
      {
        onObjectBegin: () => {
          keys.push(new Set());
        },
        onObjectEnd: () => {
          keys.pop();
        },
        onObjectProperty: (name, _offset, _length, line, column) => {
          const key = name.toLowerCase();
          if (keys.at(-1).has(key)) {
            findings.push(`${where(line, column)}: ${name} stands there twice`);
          }
          keys.at(-1).add(key);
        },
        onError: (code, _offset, _length, line, column) => {
          findings.push(`${where(line, column)}: ${printParseErrorCode(code)}`);
        },
      },
      { disallowComments: true, allowTrailingComma: false },
    );
    return findings;
  });
}

const TEMPLATE_SCHEMA =
  "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

export function headFindings({ template }) {
  const findings = [];
  if (template.$schema !== TEMPLATE_SCHEMA) {
    findings.push(`$schema is ${template.$schema}, not ${TEMPLATE_SCHEMA}`);
  }
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(template.contentVersion)) {
    findings.push(`contentVersion is ${template.contentVersion}, not four numbers`);
  }
  for (const [name, parameter] of Object.entries(template.parameters)) {
    if (!parameter.metadata?.description) {
      findings.push(`parameters.${name} has no description`);
    }
    if (/secret|password|token|key$/i.test(name) && !isSecure(parameter)) {
      findings.push(`parameters.${name} is named like a secret and is no secure parameter`);
    }
    if (
      isSecure(parameter) &&
      !["", {}, undefined].some((none) => isDeepStrictEqual(none, parameter.defaultValue))
    ) {
      findings.push(`parameters.${name} is a secret with a default`);
    }
  }
  return findings;
}

/** Types that have only preview versions. */
const PREVIEWS = ["Microsoft.Insights/diagnosticSettings"];

/** The oldest version that Azure still takes when the older ones are gone, or that has what is used. */
const OLDEST = {
  // All versions before it retire on 27 February 2027.
  "Microsoft.KeyVault": "2026-02-01",
  "Microsoft.Storage": "2025-08-01",
  // It has outboundVnetRouting.
  "Microsoft.Web": "2025-03-01",
};

/** API versions are dates, previews only if there is no other version, and not too old. */
export function versionFindings({ template }) {
  const findings = [];
  const declared = new Map();
  const look = (value, pointer) => {
    if (value?.type && "apiVersion" in value) {
      const form = PREVIEWS.includes(value.type)
        ? /^\d{4}-\d\d-\d\d(-preview)?$/
        : /^\d{4}-\d\d-\d\d$/;
      if (!form.test(value.apiVersion)) {
        findings.push(`${pointer}.apiVersion is ${value.apiVersion}`);
      }
      if (value.apiVersion < OLDEST[value.type.split("/")[0]]) {
        findings.push(`${pointer}.apiVersion is ${value.apiVersion}, which is too old`);
      }
      declared.set(value.type.toLowerCase(), value.apiVersion);
    }
    if (value && typeof value === "object") {
      Object.entries(value).forEach(([key, member]) => look(member, `${pointer}.${key}`));
    }
  };
  look(template.resources, "$.resources");
  texts(template, (text, pointer) => {
    for (const [, type, version] of text.matchAll(REFERENCE)) {
      const wanted = declared.get(type.toLowerCase());
      if (wanted && wanted !== version) {
        findings.push(`${pointer} reads ${type} by ${version}; it is deployed by ${wanted}`);
      }
    }
  });
  return findings;
}

/** A `reference()` of a resource of the same template, with its version. */
const REFERENCE =
  /reference\(resourceId\([^()]*?'([\w.]+(?:\/\w+)+)'(?:[^()]|\([^()]*\))*\), '([\w-]+)'/g;

/** Domains that belong to one of Azure's clouds. */
const CLOUD =
  /(azure\.(com|net|us|cn)|windows\.net|windowsazure\.\w+|usgovcloudapi\.net|chinacloudapi\.cn|azurewebsites\.\w+|microsoftonline\.\w+)/i;

/** Texts for people, and the name of the schema. */
const PROSE =
  /\.(\$schema|metadata|toolTip|label|text|description|placeholder|validationMessage|message)\b/;

/** Hosts differ between clouds, so they come from `environment()` and from resources. */
export function hostFindings({ template, wizard }) {
  const findings = [];
  for (const file of [template, wizard]) {
    texts(file, (text, pointer) => {
      const host = PROSE.test(pointer) ? undefined : CLOUD.exec(text)?.[0];
      if (host) {
        findings.push(`${pointer} names ${host}, a host of one cloud`);
      }
    });
  }
  return findings;
}
