"""The workbook: its items, and the queries of its panels as the workspace receives them."""

import datetime
import json
import re

import traffic
from kql import CONTENT

WORKBOOK = json.loads(
    (CONTENT / "workbooks" / "ProofpointEmailSecurity.json").read_text(encoding="utf-8")
)

TEXT, QUERY, PARAMETERS, LINKS, GROUP = 1, 3, 9, 11, 12

REFERENCE = re.compile(r"\{(\w+)(?::(\w+))?\}")

START, END = traffic.FIRST, traffic.FIRST + datetime.timedelta(hours=traffic.HOURS)

ABSOLUTE = {
    "TimeRange": f"between (datetime({START.isoformat()}) .. datetime({END.isoformat()}))",
    "TimeRange:start": f"datetime({START.isoformat()})",
    "TimeRange:end": f"datetime({END.isoformat()})",
    "TimeRange:grain": "1h",
}
RELATIVE = ABSOLUTE | {"TimeRange": "> ago(1d)"}

CLUSTERS = {
    "all clusters": "'*'",
    "two, one of them unknown": "'other_hosted','unknown'",
}

# Odd filter input. The filters reject backticks.
ODD = [
    {
        "Sender": "odd\"100%_\\o'brien@",
        "Subject": '"50% off" \\ it\'s {free}',
        "Recipient": "ö{Subject}",
    },
    {
        "Sender": "\\",
        "Subject": '"',
        "Recipient": "' or //",
        "Direction": "unknown",
        "Outcome": "rejected",
        "SelectedMessage": "\\\"'",
        "Find": "\\\"' or",
    },
]


def items(of=WORKBOOK):
    """All items; the items of a group follow the group."""
    for item in of["items"]:
        yield item
        if item["type"] == GROUP:
            yield from items(item["content"])


def of_type(kind):
    return [item for item in items() if item["type"] == kind]


ALL_PANELS = {item["name"]: item["content"] for item in of_type(QUERY)}

# Panels of the tab TAP, panels over what the connector says of itself, and those over the logs of
# Proofpoint on Demand.
TAP_PANELS = {name: panel for name, panel in ALL_PANELS.items() if name.startswith("tap-")}
CONNECTOR_PANELS = {
    name: panel for name, panel in ALL_PANELS.items() if name.startswith("connector-")
}
PANELS = {
    name: panel for name, panel in ALL_PANELS.items() if name not in TAP_PANELS | CONNECTOR_PANELS
}


def parameters():
    """The parameters that a user sets."""
    return {
        made["name"]: made for item in of_type(PARAMETERS) for made in item["content"]["parameters"]
    }


def exported():
    """The parameters that a click on a row or a tile sets, with their initial values."""
    exporting = [panel for panel in ALL_PANELS.values() if "exportParameterName" in panel]
    return {panel["exportParameterName"]: panel["exportDefaultValue"] for panel in exporting}


def brushes():
    """The parameters that are set by dragging over the bars of a chart."""
    return {
        panel["timeBrushParameterName"]
        for panel in ALL_PANELS.values()
        if "timeBrushParameterName" in panel
    }


def untouched():
    """The initial values of the parameters, without those that every panel has. The name of a parameter
    without a value stays in the query."""
    typed = {name: made.get("value", "") for name, made in parameters().items()}
    values = {name: value for name, value in typed.items() if isinstance(value, str)}
    unset = {f"{name}:{form}" for name in brushes() for form in ("start", "end")}
    return values | exported() | {name: f"{{{name}}}" for name in unset}


def fill(query, values):
    """The query with its parameters replaced by text, as the portal does it."""

    def value(found):
        name, form = found.groups()
        return values[f"{name}:{form}" if form else name]

    return REFERENCE.sub(value, query)


def runnable(query):
    """The query for engines without triple-backtick literals."""
    return re.sub(
        r"```(.*?)```",
        lambda literal: json.dumps(literal[1], ensure_ascii=False),
        query,
        flags=re.DOTALL,
    )
