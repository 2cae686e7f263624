"""The queries in the documents, and what they should show."""

import collections
import json
import re
import tempfile

import carded
import events
import times
from kql import INGESTED, ROOT
from test_parser import NAMES
from traffic import BILLED

FENCE = re.compile(r"^ *```(?:kusto|kql)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

# Columns of Azure's own tables, from Microsoft's reference.
AZURE = {"AppTraces": {"TimeGenerated": "datetime", "Message": "string"}}

MESSAGES, MAILLOG, _ = NAMES.values()
LEGACY = "ProofpointPOD_message_CL"


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "sentinel" / "README.md"]


def queries():
    """Each query by its page and its number there."""
    found = {}
    for page in pages():
        for number, query in enumerate(FENCE.findall(page.read_text(encoding="utf-8"))):
            found[f"{page.relative_to(ROOT)} {number + 1}"] = query
    return found


def tables():
    """The card's events, some twice, with what rows cost, and what the program logs."""
    made = carded.tables(carded.events_of())
    for name in [MESSAGES, MAILLOG]:
        made[name][1].extend([row | {INGESTED: row["TimeGenerated"]} for row in made[name][1][:20:4]])
    made[MESSAGES][1][1]["AdditionalFields"] = {"connectorNotes": ["a note"]}
    for _, rows in made.values():
        for number, row in enumerate(rows):
            row[BILLED] = 1000.0 + number
    made = {name: (columns | {BILLED: "real"}, rows) for name, (columns, rows) in made.items()}
    return made | {"AppTraces": (AZURE["AppTraces"], traces())}


def traces():
    """What a demonstration logs, and some lines of a worse day."""
    with tempfile.TemporaryDirectory() as directory:
        logged = events.logged(directory)
    for level, text in [("ERROR", "refused"), ("ERROR", "refused"), ("WARN", "slow"), ("INFO", "well")]:
        logged.append(json.dumps(json.loads(logged[-1]) | {"level": level, "message": text, "target": "proofpoint_sentinel::log"}))
    row = {"TimeGenerated": carded.stamp(carded.NOW)}
    prose = row | {"Message": "Executing 'Functions.ProofpointPOD'"}
    return [prose, *(row | {"Message": line} for line in logged)]
