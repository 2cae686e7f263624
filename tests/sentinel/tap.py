"""Targeted Attack Protection: its functions, and a workspace that can call them with arguments."""

import functools
import json
import re

import events
from functions import Functions, FunctionWorkspace
from kql import HERE, ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "tap"

# The kinds of records, by the name of their array, and the tables for their rows.
KINDS = {
    "messagesDelivered": "MessagesDelivered",
    "messagesBlocked": "MessagesBlocked",
    "clicksPermitted": "ClicksPermitted",
    "clicksBlocked": "ClicksBlocked",
}
TABLES = {kind: f"ProofPointTAP{name}V2_CL" for kind, name in KINDS.items()}
LEGACY_TABLES = {kind: f"ProofPointTAP{name}_CL" for kind, name in KINDS.items()}
POLLER = "ProofpointTAPNativePoller_CL"

# The columns of the tables in a workspace.
COLUMNS = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))

FUNCTIONS = Functions("ProofpointTAPEvent", "ProofpointTAPThreats")
PARAMETERS = FUNCTIONS.parameters("ProofpointTAPEvent")


def rows(kind, shape, records):
    """The connector's rows for records."""
    return events.rows(kind, shape, [json.dumps(each) for each in records])


def fixtures(kind):
    """The public samples of a kind."""
    name = re.sub("([A-Z])", r"_\1", kind).lower()
    return [json.loads(line) for line in events.read(FIXTURES / f"{name}.ndjson")]


def tables():
    """The columns of every table that the functions name."""
    made = {name: COLUMNS[name] for name in TABLES.values()}
    return made | {
        name: {"TimeGenerated": "datetime"} for name in [*LEGACY_TABLES.values(), POLLER]
    }


@functools.cache
def checked_functions():
    """The functions for the language service: their columns and parameters."""
    return FUNCTIONS.checked(tables())


class TapWorkspace(FunctionWorkspace):
    """A workspace with the functions."""

    def __init__(self, tables, now=None):
        super().__init__(FUNCTIONS, tables, now)
