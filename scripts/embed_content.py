"""Writes the content of sentinel/ into the variable `content` of azuredeploy.json, in the form that
Azure expects. Run it after every change of sentinel/, with the environment that scripts/test makes:

    target/sentinel/bin/python scripts/embed_content.py
"""

import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONTENT = ROOT / "sentinel"
TEMPLATE = ROOT / "azuredeploy.json"

# Microsoft's solution keeps its function of the same name in this saved search. If a workspace has two
# functions of one name, every query that calls it fails, so ours replaces it. The one of its solution for
# TAP is in a saved search of its own name.
SAVED_SEARCHES = {"ProofpointPOD": "ProofpointPOD Data Parser"}

OPERATORS = {"gt": "GreaterThan", "lt": "LessThan", "eq": "Equal", "ne": "NotEqual"}

# Members that the rule and the resource have under the same name.
SAME = [
    "severity",
    "triggerThreshold",
    "tactics",
    "entityMappings",
    "customDetails",
    "alertDetailsOverride",
]
SAME += ["eventGroupingSettings", "incidentConfiguration"]

VARIABLE = re.compile(r'(?m)^    "content": \{.*?^    \}', re.DOTALL)


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def files(folder):
    return sorted((CONTENT / folder).glob("*.yaml"))


def function(parser):
    name = parser["FunctionName"]
    return {
        "name": SAVED_SEARCHES.get(name, name),
        "properties": {
            "category": parser["Category"],
            "displayName": parser["Function"]["Title"],
            "functionAlias": parser["FunctionAlias"],
            "functionParameters": parameters(parser["FunctionParams"]),
            "query": parser["FunctionQuery"].strip(),
            "version": 2,
        },
    }


def parameters(listed):
    """The parameters of a function in the form of a saved search."""
    return ",".join(f"{each['Name']}:{each['Type']}={each['Default']}" for each in listed)


def asim_function(parser):
    name = parser["ParserName"]
    return {
        "name": name,
        "properties": {
            "category": "ASIM",
            "displayName": parser["Parser"]["Title"],
            "functionAlias": name,
            "functionParameters": parameters(parser["ParserParams"]).lower(),
            "query": parser["ParserQuery"].strip(),
            "version": 2,
        },
    }


def hunting_query(hunt):
    tags = {
        "description": plain(hunt["description"]),
        "tactics": ",".join(hunt["tactics"]),
        "techniques": ",".join(hunt["relevantTechniques"]),
    }
    return {
        "name": hunt["id"],
        "properties": {
            "category": "Hunting Queries",
            "displayName": hunt["name"],
            "query": hunt["query"].strip(),
            "tags": [{"name": name, "value": value} for name, value in tags.items()],
            "version": 2,
        },
    }


def analytic_rule(rule):
    return {
        "name": rule["id"],
        "properties": {
            "displayName": rule["name"],
            "description": plain(rule["description"]),
            "query": rule["query"].strip(),
            "queryFrequency": iso(rule["queryFrequency"]),
            "queryPeriod": iso(rule["queryPeriod"]),
            "triggerOperator": OPERATORS[rule["triggerOperator"]],
            "techniques": rule["relevantTechniques"],
            # Sentinel requires both, even if nothing is suppressed.
            "suppressionDuration": iso(rule.get("suppressionDuration", "1h")),
            "suppressionEnabled": rule.get("suppressionEnabled", False),
            # A rule that is too noisy for most is deployed disabled.
            "enabled": rule.get("enabled", True),
        }
        | {name: rule[name] for name in SAME if name in rule},
    }


def workbook(path):
    book = json.loads(path.read_text(encoding="utf-8"))
    return {
        "displayName": "Proofpoint Email Security",
        "serializedData": json.dumps(book, ensure_ascii=False, separators=(",", ":")),
    }


def watchlist(made):
    return {
        "name": made["alias"],
        "properties": {
            "watchlistAlias": made["alias"],
            "displayName": made["name"],
            "description": plain(made["description"]),
            "provider": "Proofpoint Sentinel",
            "source": "Local file",
            "itemsSearchKey": made["searchKey"],
        },
    }


def connector(path):
    card = json.loads(path.read_text(encoding="utf-8"))
    return {"name": card["name"], "properties": card["properties"]}


def iso(duration):
    """A duration in ISO 8601: `10m` is `PT10M`, `14d` is `P14D`."""
    number, unit = duration[:-1], duration[-1].upper()
    return f"P{number}D" if unit == "D" else f"PT{number}{unit}"


def plain(text):
    """A text without the line breaks of the file."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def content():
    """All content in the form of the template."""
    return {
        "functions": [
            function(load(CONTENT / "parsers" / "ProofpointPOD.yaml")),
            function(load(CONTENT / "parsers" / "ProofpointTAPEvent.yaml")),
            function(load(CONTENT / "parsers" / "ProofpointTAPThreats.yaml")),
            function(load(CONTENT / "parsers" / "ProofpointConnector.yaml")),
            function(load(CONTENT / "parsers" / "ProofpointReconciliation.yaml")),
            asim_function(load(CONTENT / "parsers" / "ASimEmailEventProofpointPOD.yaml")),
            asim_function(load(CONTENT / "parsers" / "vimEmailEventProofpointPOD.yaml")),
        ],
        "huntingQueries": [hunting_query(load(path)) for path in files("hunting-queries")],
        "analyticRules": [analytic_rule(load(path)) for path in files("analytic-rules")],
        "watchlists": [watchlist(load(path)) for path in files("watchlists")],
        "workbook": workbook(CONTENT / "workbooks" / "ProofpointEmailSecurity.json"),
        "connector": connector(CONTENT / "connector" / "ProofpointSentinel.json"),
    }


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from texts(member)


def embedded(template):
    """The text of the template with the current content."""
    found = content()
    if read_as_expressions := [text for text in texts(found) if text.startswith("[")]:
        sys.exit(f"Azure would take these for expressions: {read_as_expressions}")
    lines = json.dumps({"content": found}, ensure_ascii=False, indent=2).splitlines()[1:-1]
    written, count = VARIABLE.subn(lambda _: "\n".join(f"  {line}" for line in lines), template)
    if count != 1:
        sys.exit(f"{TEMPLATE.name} has {count} variables called content")
    return written


if __name__ == "__main__":
    TEMPLATE.write_text(embedded(TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")
