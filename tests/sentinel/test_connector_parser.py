"""The function over what the connector says of itself: one row for each record, whatever the API."""

import datetime
import unittest

import connector_rows
import panels
import times
from connector_rows import HOUR, again, failed, feed, hour, run
from functions import FunctionWorkspace, of_connector
from kql import INGESTED, INTERPRETER, check_all

NOW = datetime.datetime(2026, 11, 26, 12)
SHAPES = ["columns", "legacy"]
MESSAGES, TAP = feed(), feed("tap", "default")

ROWS = [
    run(MESSAGES, NOW - 3 * HOUR, Events=12, Delivered=9, Duplicates=2, DeadLetters=1,
        DeadLetterReasons={"refused": 1}),
    failed(MESSAGES, NOW - 2 * HOUR, "PPS2002", DeadLetters=5,
           DeadLetterReasons={"malformed": 3, "oversize": 2}),
    run(TAP, NOW - 2 * HOUR, CallsUsed=1800, CallsLeft=0, RunId="0b6c4e0e-2f0a-4d0b-9a53-5d2a1f7c8e41"),
    hour(MESSAGES, NOW - 5 * HOUR, NOW - 3 * HOUR, 100, "believed", Live=90, Archive=10),
    hour(MESSAGES, NOW - 5 * HOUR, NOW - 2 * HOUR, 103, Attempts=2, Live=90, Archive=10, Late=3),
    hour(TAP, NOW - 4 * HOUR, NOW - 2 * HOUR, 0, "lost"),
]  # fmt: skip


def expected(row):
    """A record as the function returns it."""
    reasons = row.get("DeadLetterReasons", {})
    of_tap = row["Source"] == "tap"
    made = {name: row.get(name) for name in connector_rows.COLUMNS if name != "DeadLetterReasons"}
    made |= {
        f"DeadLetters{name.capitalize()}": reasons.get(name, 0)
        for name in ["malformed", "oversize", "refused"]
    }
    made |= {
        name: row.get(name) and times.read(row[name])
        for name in ["TimeGenerated", "NewestEvent", "Hour"]
    }
    made["IngestionTime"] = times.read(row[INGESTED])
    made["RecordTime"] = made["Hour"] or made["TimeGenerated"]
    made["Feed"] = f"{row['Account']}-{row['FeedType']}"
    made["Product"] = "Proofpoint TAP" if of_tap else "Proofpoint on Demand"
    made["Stream"] = "TAP records of default" if of_tap else "message events of acme_hosted"
    return made


class Parser(unittest.TestCase):
    def answers(self, query, rows=ROWS):
        """What the query returns for each API and in each interpreter."""
        for shape in SHAPES:
            workspace = FunctionWorkspace(
                of_connector(), connector_rows.stored(shape, rows), now=NOW
            )
            yield shape, workspace.query(query)
            if INTERPRETER:
                yield f"{shape}, another interpreter", workspace.opinions([query])[0]

    def check(self, query, rows, meant):
        for where, found in self.answers(query, rows):
            with self.subTest(where=where):
                shown = map(panels.plain, map(rounded, found))
                self.assertCountEqual(shown, map(panels.plain, map(rounded, map(expected, meant))))

    def test_each_record_is_a_row_whatever_the_api(self):
        self.check("ProofpointConnector", ROWS, ROWS)

    def test_a_record_that_was_sent_again_counts_once(self):
        copies = [again(row) for row in ROWS]
        self.check("ProofpointConnector", [*copies, *ROWS], ROWS)

    def test_times_select_records(self):
        at = f"datetime({(NOW - 2 * HOUR).isoformat()})"
        since = f"ProofpointConnector(starttime={at})"
        self.check(since, ROWS, [ROWS[1], ROWS[2]])
        until = f"ProofpointConnector(endtime=datetime({(NOW - 4 * HOUR).isoformat()}))"
        self.check(until, ROWS, ROWS[3:])

    def test_arrivals_select_records(self):
        between = "ProofpointConnector(arrivedafter=ago(3h), arrivedby=ago(2h))"
        self.check(between, ROWS, [ROWS[0], ROWS[3]])

    def test_the_newest_row_of_an_hour_is_its_state(self):
        newest = (
            'ProofpointConnector | where RecordType == "hour"'
            " | summarize arg_max(TimeGenerated, *) by Source, Account, FeedType, Hour"
        )
        self.assertIn(newest, of_connector().text("ProofpointConnector"))
        self.check(newest, ROWS, ROWS[4:])

    def test_a_workspace_without_the_table_has_no_records(self):
        workspace = FunctionWorkspace(
            of_connector(), {"Other": ({"TimeGenerated": "datetime"}, [])}
        )
        self.assertEqual(workspace.query("ProofpointConnector"), [])


def rounded(row):
    """A row whose times are in hundredths of a second, which all interpreters keep."""
    return {
        name: round(value.timestamp(), 2) if isinstance(value, datetime.datetime) else value
        for name, value in row.items()
    }


class Language(unittest.TestCase):
    def test_functions_have_the_same_columns_in_every_workspace(self):
        suffixed = connector_rows.stored("legacy", ROWS)[connector_rows.TABLE][0]
        guid = {name: "guid" if name.endswith("_g") else kind for name, kind in suffixed.items()}
        workspaces = [connector_rows.COLUMNS, suffixed, guid, {"TimeGenerated": "datetime"}]
        requests = [
            {
                "tables": {connector_rows.TABLE: columns},
                "functions": {},
                "queries": [of_connector().standalone("ProofpointConnector")],
            }
            for columns in workspaces
        ]
        answers = [checked for [checked] in check_all(requests)]
        for checked in answers:
            self.assertEqual(checked["diagnostics"], [])
            self.assertFalse(checked["open"])
            self.assertEqual(checked["columns"], answers[0]["columns"])


if __name__ == "__main__":
    unittest.main()
