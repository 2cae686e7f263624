"""The analytic rules, and the columns that they name."""

import re

from kql import CONTENT, load

ALL_RULES = {path.stem: load(path) for path in sorted((CONTENT / "analytic-rules").glob("*.yaml"))}

# Rules over the logs of Proofpoint on Demand, rules that need TAP, and rules over what the connector says
# of itself.
TAP_RULES = {name: rule for name, rule in ALL_RULES.items() if name.startswith("Tap")}
CONNECTOR_RULES = {
    name: rule
    for name, rule in ALL_RULES.items()
    if rule["name"].startswith("Proofpoint connector")
}
RULES = {name: rule for name, rule in ALL_RULES.items() if name not in TAP_RULES | CONNECTOR_RULES}
QUERIES = {name: rule["query"] for name, rule in RULES.items()}


def named(rule):
    """The columns that a rule names outside its query."""
    override = rule["alertDetailsOverride"]
    columns = {
        field["columnName"]
        for entity in rule["entityMappings"]
        for field in entity["fieldMappings"]
    }
    columns |= set(rule["customDetails"].values()) | set(
        re.findall(r"\{\{(\w+)\}\}", override["alertDisplayNameFormat"])
    )
    return columns | (
        {override["alertSeverityColumnName"]} if "alertSeverityColumnName" in override else set()
    )
