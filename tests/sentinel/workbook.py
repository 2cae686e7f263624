"""The workbook: its items, and the queries of its panels as a workspace gets them."""

import json
import re

from kql import CONTENT

WORKBOOK = json.loads((CONTENT / "workbooks" / "ProofpointEmailSecurity.json").read_text(encoding="utf-8"))

TEXT, QUERY, PARAMETERS, LINKS, GROUP = 1, 3, 9, 11, 12

REFERENCE = re.compile(r"\{(\w+)(?::(\w+))?\}")


def items(of=WORKBOOK):
    """All items, those in groups after their group."""
    for item in of["items"]:
        yield item
        if item["type"] == GROUP:
            yield from items(item["content"])


def of_type(kind):
    return [item for item in items() if item["type"] == kind]


PANELS = {item["name"]: item["content"] for item in of_type(QUERY)}


def parameters():
    """The parameters that a reader sets."""
    return {made["name"]: made for item in of_type(PARAMETERS) for made in item["content"]["parameters"]}


def exported():
    """The parameters that a click on a row or a tile sets, with their values before any click."""
    listed = [made for panel in PANELS.values() for made in panel.get("exportedParameters", [])]
    listed += [
        {"parameterName": panel["exportParameterName"], "defaultValue": panel["exportDefaultValue"]}
        for panel in PANELS.values()
        if "exportParameterName" in panel
    ]
    return {made["parameterName"]: made["defaultValue"] for made in listed}


def fill(query, values):
    """The query with its parameters put in as the portal does: as text."""

    def value(found):
        name, form = found.groups()
        return values[f"{name}:{form}" if form else name]

    return REFERENCE.sub(value, query)


def runnable(query):
    """The query for engines that know no literals between triple backticks."""
    return re.sub(r"```(.*?)```", lambda literal: json.dumps(literal[1], ensure_ascii=False), query, flags=re.DOTALL)
