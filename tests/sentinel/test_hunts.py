"""Each hunting query: it is well formed, and of events that it is meant for and events that miss one
of its conditions it finds just the first, whichever destination they were delivered to."""

import json
import re
import unittest
import uuid

import agreement
import events
import hunted
from kql import CONTENT, INTERPRETER, PARSER, Workspace, check, load
from test_parser import DECLARED, TABLES, collected

HUNTS = {path.stem: load(path) for path in sorted((CONTENT / "hunting-queries").glob("*.yaml"))}
CASES = hunted.made()

# The tactic that each technique serves.
TACTICS = {"T1048": "Exfiltration", "T1496": "Impact", "T1566": "InitialAccess"}

# What Sentinel takes of each kind of entity.
IDENTIFIERS = {
    "Account": ["Name", "UPNSuffix"],
    "DNS": ["DomainName"],
    "File": ["Name"],
    "FileHash": ["Algorithm", "Value"],
    "IP": ["Address"],
    "MailMessage": ["Sender", "Recipient", "Subject"],
}


def workspaces():
    """The messages of all cases as the tables of each destination."""
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
    """The rows on messages of a hunt's own case: every case has domains of its own."""
    return [row for row in answer if f"{hunt.lower()}." in json.dumps(row, default=str)]


class Hunts(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        queries = [hunt["query"] for hunt in HUNTS.values()]
        cls.answers = {}
        for destination, workspace in workspaces().items():
            cls.answers[destination, "duckdb-kql"] = [workspace.query(query) for query in queries]
            if INTERPRETER.exists():
                cls.answers[destination, "another interpreter"] = workspace.second_opinions(queries)
        cls.checked = dict(zip(HUNTS, check(DECLARED, {"ProofpointPOD": PARSER}, queries)))

    def test_every_hunt_has_events_that_it_finds_and_events_that_it_nearly_finds(self):
        self.assertEqual(list(HUNTS), sorted(CASES))
        for name, case in CASES.items():
            self.assertTrue(all(case), name)

    def test_hunts_find_the_events_they_are_meant_for_and_no_others(self):
        for (destination, engine), answers in self.answers.items():
            for name, answer in zip(HUNTS, answers):
                with self.subTest(destination=destination, engine=engine, hunt=name):
                    _, _, meant = CASES[name]
                    found = of_case(name, answer)
                    self.assertEqual(len(found), len(meant), found)
                    # The rows come in the order in which an analyst should read them.
                    for row, expected in zip(found, meant):
                        self.assertEqual(
                            {column: agreement.plain(row[column]) for column in expected},
                            {column: agreement.plain(value) for column, value in expected.items()},
                        )

    @unittest.skipUnless(INTERPRETER.exists(), "another interpreter is not at hand")
    def test_another_interpreter_finds_the_same(self):
        for destination in {destination for destination, _ in self.answers}:
            both = [
                self.answers[destination, engine]
                for engine in ("duckdb-kql", "another interpreter")
            ]
            for name, *answers in zip(HUNTS, *both, strict=True):
                with self.subTest(destination=destination, hunt=name):
                    self.assertCountEqual(
                        *(agreement.comparable(HUNTS[name]["query"], answer) for answer in answers)
                    )

    def test_queries_have_no_fault_and_return_texts_for_the_entities(self):
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

    def test_hunts_are_what_sentinel_takes(self):
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

    def test_a_query_that_looks_back_says_how_far_by_both_times(self):
        # The time that the page takes for the query's own, and the one that reaches the tables.
        window = re.compile(
            r"where EventOriginalTime > ago\((lookback.*?)\) and TimeGenerated > ago\((.*?)\)"
        )
        for name, hunt in HUNTS.items():
            windows = window.findall(hunt["query"])
            self.assertEqual(len(windows), hunt["query"].count("let lookback"), name)
            for of_event, of_page in windows:
                self.assertEqual(of_event, of_page, name)


if __name__ == "__main__":
    unittest.main()
