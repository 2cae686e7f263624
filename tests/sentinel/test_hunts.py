"""Each hunting query is well formed. It finds the matching events, and none that miss one of its
conditions, for both destinations."""

import json
import re
import unittest
import uuid

import comparison
import events
import hunts
import hunts_threats
from kql import CONTENT, INTERPRETER, PARSER, Workspace, check, load
from test_parser import DECLARED, TABLES, collected

HUNTS = {
    path.stem: load(path)
    for path in sorted((CONTENT / "hunting-queries").glob("*.yaml"))
    # Those over TAP have tests of their own.
    if not path.stem.startswith("Tap")
}
CASES = hunts.made() | hunts_threats.made()

# The tactic of each technique.
TACTICS = {
    "T1048": "Exfiltration",
    "T1078": "InitialAccess",
    "T1496": "Impact",
    "T1499": "Impact",
    "T1534": "LateralMovement",
    "T1566": "InitialAccess",
    "T1589": "Reconnaissance",
}

# The identifiers that Sentinel accepts for each kind of entity.
IDENTIFIERS = {
    "Account": ["Name", "UPNSuffix"],
    "DNS": ["DomainName"],
    "File": ["Name"],
    "FileHash": ["Algorithm", "Value"],
    "IP": ["Address"],
    "MailMessage": ["Sender", "Recipient", "Subject"],
}


def workspaces():
    """The messages of all cases in the tables of each destination."""
    texts = [
        json.dumps(message) for found, missed, _ in CASES.values() for message in found + missed
    ]
    columns = (TABLES["ProofpointPODMessage_CL"], events.rows("message", "columns", texts))
    legacy = collected(events.rows("message", "legacy", texts))
    return {
        "Logs Ingestion API": Workspace({"ProofpointPODMessage_CL": columns}),
        "HTTP Data Collector API": Workspace({"ProofpointPOD_message_CL": legacy}),
    }


def of_case(hunt, answer):
    """The rows of a hunting query's own case. Every case has its own domains."""
    return [row for row in answer if f"{hunt.lower()}." in json.dumps(row, default=str)]


class Hunts(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        queries = [hunt["query"] for hunt in HUNTS.values()]
        cls.answers = {}
        for destination, workspace in workspaces().items():
            cls.answers[destination, "duckdb-kql"] = [workspace.query(query) for query in queries]
            if INTERPRETER:
                cls.answers[destination, "another interpreter"] = (
                    workspace.query_second_interpreter(queries)
                )
        cls.checked = dict(
            zip(HUNTS, check(DECLARED, {"ProofpointPOD": PARSER}, queries), strict=True)
        )

    def test_every_hunt_has_events_that_it_finds_and_others(self):
        self.assertEqual(list(HUNTS), sorted(CASES))
        for name, case in CASES.items():
            self.assertTrue(all(case), name)

    def test_hunts_find_only_matching_events(self):
        for (destination, engine), answers in self.answers.items():
            for name, answer in zip(HUNTS, answers, strict=True):
                with self.subTest(destination=destination, engine=engine, hunt=name):
                    _, _, meant = CASES[name]
                    found = of_case(name, answer)
                    self.assertEqual(len(found), len(meant), found)
                    # The rows are in the order in which an analyst should read them.
                    for row, expected in zip(found, meant, strict=True):
                        self.assertEqual(
                            {column: comparison.plain(row[column]) for column in expected},
                            {column: comparison.plain(value) for column, value in expected.items()},
                        )

    @unittest.skipUnless(INTERPRETER, "the second interpreter is missing")
    def test_another_interpreter_finds_the_same(self):
        for destination in {destination for destination, _ in self.answers}:
            both = [
                self.answers[destination, engine]
                for engine in ("duckdb-kql", "another interpreter")
            ]
            for name, *answers in zip(HUNTS, *both, strict=True):
                with self.subTest(destination=destination, hunt=name):
                    self.assertCountEqual(
                        *(comparison.comparable(HUNTS[name]["query"], answer) for answer in answers)
                    )

    def test_queries_are_valid_and_return_strings_for_entities(self):
        for name, hunt in HUNTS.items():
            with self.subTest(hunt=name):
                self.assertEqual(self.checked[name]["diagnostics"], [])
                self.assertFalse(self.checked[name]["open"])
                named = {
                    field["columnName"]
                    for entity in hunt["entityMappings"]
                    for field in entity["fieldMappings"]
                }
                kinds = {column: self.checked[name]["columns"].get(column) for column in named}
                self.assertEqual(kinds, dict.fromkeys(named, "string"))

    def test_hunts_have_the_form_that_sentinel_requires(self):
        self.assertEqual(len({hunt["id"] for hunt in HUNTS.values()}), len(HUNTS))
        for name, hunt in HUNTS.items():
            with self.subTest(hunt=name):
                uuid.UUID(hunt["id"])
                self.assertRegex(hunt["version"], r"^\d+\.\d+\.\d+$")
                self.assertTrue(hunt["name"].startswith("Proofpoint on Demand - "))
                self.assertEqual(
                    [need["connectorId"] for need in hunt["requiredDataConnectors"]],
                    ["ProofpointSentinel"],
                )
                self.assertCountEqual(
                    hunt["tactics"],
                    {TACTICS[technique] for technique in hunt["relevantTechniques"]},
                )
                for entity in hunt["entityMappings"]:
                    identifiers = [field["identifier"] for field in entity["fieldMappings"]]
                    self.assertLessEqual(set(identifiers), set(IDENTIFIERS[entity["entityType"]]))

    def test_queries_with_a_look_back_filter_by_both_times(self):
        # TimeGenerated overrides the page's time range; what the parser is given, or the event's time
        # where it takes none, reaches the tables.
        window = re.compile(
            r"(?:starttime=|where EventOriginalTime > )ago\((lookback.*?)\)"
            r".*?\bTimeGenerated > ago\((.*?)\)",
            re.DOTALL,
        )
        for name, hunt in HUNTS.items():
            windows = window.findall(hunt["query"])
            self.assertEqual(len(windows), hunt["query"].count("let lookback"), name)
            for of_event, of_page in windows:
                self.assertEqual(of_event, of_page, name)


if __name__ == "__main__":
    unittest.main()
