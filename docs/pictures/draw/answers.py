"""Prints what the workbook shows for the events of the demo: its tabs, and each panel with the rows of
its query's result, as JSON on standard output."""

import datetime
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "sentinel"))

import events
import functions
import kql
import traffic
import workbook

# The last day, and the day before it, because one panel compares the two.
DAY = datetime.timedelta(days=1)
HOURS, RATE = 49, 800

TABLES = json.loads((ROOT / "tests" / "sentinel" / "tables.json").read_text(encoding="utf-8"))
FUNCTIONS = functions.Functions(
    "ProofpointTAPEvent",
    "ProofpointTAPThreats",
    "ProofpointConnector",
    "ProofpointReconciliation",
)
LOADED = {kql.INGESTED: "datetime", traffic.BILLED: "real"}


def stamp(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def collected(directory):
    """The rows that the connector delivered, with the columns that a workspace adds: the arrival time
    (here the end of the demo) and the billed size (here the size of the row)."""
    delivered = events.generated(directory, hours=HOURS, rate=RATE, tables="Proof*")
    now = datetime.datetime.now(datetime.UTC)

    def stored(row):
        return row | {
            kql.INGESTED: stamp(now),
            traffic.BILLED: float(len(json.dumps(row, ensure_ascii=False).encode())),
        }

    return now, {
        name: (TABLES[name] | LOADED, [stored(row) for row in rows])
        for name, rows in delivered.items()
    }


class Reader:
    """A user who looks at the last day of all clusters."""

    def __init__(self, workspace, now):
        start, end = f"datetime({(now - DAY).isoformat()})", f"datetime({now.isoformat()})"
        time = {
            "TimeRange": f"between ({start} .. {end})",
            "TimeRange:start": start,
            "TimeRange:end": end,
        }
        self.workspace = workspace
        self.now = end
        self.values = workbook.untouched() | time | {"TimeRange:grain": "1h", "Cluster": "'*'"}

    def rows(self, panel):
        query = workbook.fill(panel["query"], self.values)
        return self.workspace.query(workbook.runnable(query.replace("now()", self.now)))

    def click(self, panel, row):
        self.values[panel["exportParameterName"]] = row[panel["exportFieldName"]]


def message_to_click(rows):
    """The message with the most recipients among the first in the list."""
    passed = [row for row in rows[:10] if row["Outcome"].startswith("passed on")]
    return max(passed, key=lambda row: len(row["Recipients"]))


def tabs_shown(reader):
    """The tabs, with their items and results."""
    [tabs] = workbook.of_type(workbook.LINKS)
    groups = {
        group["conditionalVisibility"]["value"]: group["content"]["items"]
        for group in workbook.of_type(workbook.GROUP)
    }
    made = []
    for link in tabs["content"]["links"]:
        items = [item | {"content": dict(item["content"])} for item in groups[link["subTarget"]]]
        for item in items:
            if item["type"] == workbook.QUERY:
                panel = item["content"]
                panel["rows"] = reader.rows(panel)
                if panel.get("exportParameterName") == "SelectedMessage":
                    reader.click(panel, message_to_click(panel["rows"]))
                    panel["clicked"] = reader.values["SelectedMessage"]
        made.append({"label": link["linkLabel"], "items": items})
    return made


def plain(value):
    if isinstance(value, datetime.datetime):
        return {"time": stamp(value.replace(tzinfo=datetime.UTC))}
    raise TypeError(f"{value!r} cannot be drawn")


def main():
    with tempfile.TemporaryDirectory() as directory:
        now, tables = collected(directory)
        answers = {
            "from": stamp(now - DAY),
            "to": stamp(now),
            "tabs": tabs_shown(Reader(functions.FunctionWorkspace(FUNCTIONS, tables), now)),
        }
    json.dump(answers, sys.stdout, default=plain, ensure_ascii=False)


main()
