"""Each analytic rule: events that it is meant for raise it, and events that miss one of its conditions
do not, whichever destination they were delivered to."""

import json
import re
import unittest

import agreement
import indicators
import raised
from kql import INTERPRETER, PARSER, Workspace, check_all
from occurring import ago, inbound, outbound, stored
from raised_by_traffic import LOCKED, people
from rules import QUERIES, RULES, named
from test_parser import DECLARED

DESTINATIONS = {"Logs Ingestion API": "columns", "HTTP Data Collector API": "legacy"}


def workspaces():
    """The events of all cases as the tables of each destination."""
    addressed = list(raised.addressed())
    listed = {"ThreatIntelIndicators": indicators.table(addressed)}
    return {
        name: Workspace(stored(shape, addressed) | listed) for name, shape in DESTINATIONS.items()
    }


def of_case(rule, row):
    """The addresses of the rule's own cases that a row names. In a case every name is its own."""
    return set(
        re.findall(
            rf"(?:raises|misses)\d+@{rule.lower()}\.example", json.dumps(row, default=str).lower()
        )
    )


class Rules(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.answers = {}
        cls.workspaces = workspaces()
        for destination, workspace in cls.workspaces.items():
            cls.answers[destination, "duckdb-kql"] = [
                workspace.query(query) for query in QUERIES.values()
            ]
            if INTERPRETER.exists():
                opinions = workspace.second_opinions(list(QUERIES.values()))
                cls.answers[destination, "another interpreter"] = opinions

    def test_every_rule_has_events_that_raise_it_and_events_that_nearly_do(self):
        self.assertEqual(list(RULES), sorted(raised.CASES))
        for name, case in raised.CASES.items():
            self.assertTrue(all(case), name)

    def test_rules_are_raised_by_the_events_they_are_meant_for_and_no_others(self):
        for where, name, rows in self.each_answer():
            with self.subTest(where=where, rule=name):
                meant = {
                    raised.sender(name, "raises", number)
                    for number, _ in enumerate(raised.CASES[name][0])
                }
                found = set().union(*[of_case(name, row) for row in rows])
                self.assertEqual(found, meant)

    @unittest.skipUnless(INTERPRETER.exists(), "another interpreter is not at hand")
    def test_another_interpreter_gives_the_same_answers(self):
        for destination in DESTINATIONS:
            both = [
                self.answers[destination, engine]
                for engine in ("duckdb-kql", "another interpreter")
            ]
            for name, *answers in zip(QUERIES, *both, strict=True):
                with self.subTest(destination=destination, rule=name):
                    self.assertCountEqual(
                        *(agreement.comparable(QUERIES[name], answer) for answer in answers)
                    )

    def test_alerts_say_what_was_seen(self):
        for where, name, rows in self.each_answer():
            with self.subTest(where=where, rule=name):
                first = raised.sender(name, "raises", 0)
                alerts = [row for row in rows if first in of_case(name, row)]
                self.assertEqual(len(alerts), 1, alerts)
                for column, value in raised.CASES[name][2].items():
                    self.assertEqual(
                        agreement.plain(alerts[0][column]), agreement.plain(value), column
                    )

    def test_lists_at_the_top_of_a_query_are_kept_to(self):
        lists = {
            (name, found)
            for name in QUERIES
            for found in re.findall(r"let (\w+) = dynamic\(\[\]\);", QUERIES[name])
        }
        self.assertEqual(lists - {("ImpostorDelivered", "vips")}, set(raised.EXCEPTIONS))
        for (name, of_user), value in raised.EXCEPTIONS.items():
            with self.subTest(rule=name, of_user=of_user):
                rows = self.with_list(name, of_user, value)
                self.assertNotIn(
                    raised.sender(name, "raises", 0),
                    set().union(*[of_case(name, row) for row in rows]),
                )

    def test_an_alert_on_someone_worth_posing_as_is_high(self):
        rows = self.with_list("ImpostorDelivered", "vips", "a name")
        severities = {row["Author"]: row["AlertSeverity"] for row in rows}
        self.assertEqual(severities['"A Name, b@c" <raises0@impostordelivered.example>'], "High")
        self.assertIn("Medium", severities.values())

    def test_each_recipient_of_a_delivered_threat_has_an_alert(self):
        for rule, number in {"EmailUrlInTIList": 7, "HighRiskNotDiscarded": 1}.items():
            for where, name, rows in self.each_answer():
                if name == rule:
                    with self.subTest(where=where, rule=rule):
                        self.assertEqual(
                            self.recipients(rule, number, rows),
                            ["one@acme.example", "two@acme.example"],
                        )

    def test_a_recipient_who_does_not_count_hides_no_other(self):
        for rule in ["HighRiskNotDiscarded", "PhishDelivered"]:
            rows = self.with_list(rule, "exceptedRecipients", "one@acme.example")
            number = len(raised.CASES[rule][0]) - 1
            self.assertEqual(self.recipients(rule, number, rows), ["two@acme.example"], rule)

    def recipients(self, rule, number, rows):
        case = raised.sender(rule, "raises", number)
        return sorted(row["Recipient"] for row in rows if case in of_case(rule, row))

    def with_list(self, name, of_user, value):
        query = QUERIES[name].replace(
            f"let {of_user} = dynamic([]);", f'let {of_user} = dynamic(["{value}"]);'
        )
        return self.workspaces["Logs Ingestion API"].query(query)

    def each_answer(self):
        for where, answers in self.answers.items():
            for name, rows in zip(QUERIES, answers, strict=True):
                yield where, name, rows


class Language(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The table as it is in a workspace: with other columns, and with a type that the engines lack.
        others = {"Confidence": "int", "Data": "dynamic", "Tags": "string"}
        full = DECLARED | {"ThreatIntelIndicators": indicators.COLUMNS | others}
        asked = {"functions": {"ProofpointPOD": PARSER}, "queries": list(QUERIES.values())}
        requests = [asked | {"tables": tables} for tables in [full, DECLARED]]
        cls.checked, cls.without_indicators = [
            dict(zip(QUERIES, checked, strict=True)) for checked in check_all(requests)
        ]

    def test_queries_have_no_fault_and_return_what_the_rules_name(self):
        for name, rule in RULES.items():
            with self.subTest(rule=name):
                checked = self.checked[name]
                self.assertEqual(checked["diagnostics"], [])
                self.assertFalse(checked["open"])
                self.assertLessEqual(named(rule), set(checked["columns"]))
                # Without it an alert begins and ends with all that the rule looks back on.
                self.assertEqual(checked["columns"].get("TimeGenerated"), "datetime")

    def test_what_an_entity_is_known_by_is_text(self):
        for name, rule in RULES.items():
            fields = [
                field for entity in rule["entityMappings"] for field in entity["fieldMappings"]
            ]
            kinds = {self.checked[name]["columns"][field["columnName"]] for field in fields}
            self.assertEqual(kinds, {"string"}, name)

    def test_a_workspace_without_threat_intelligence_accepts_every_rule(self):
        for name, checked in self.without_indicators.items():
            with self.subTest(rule=name):
                faults = [
                    found
                    for found in checked["diagnostics"]
                    if "'ThreatIntelIndicators'" not in found
                ]
                self.assertEqual(faults, [])
                # That a fuzzy union names a table which is not there is no fault, as Sentinel sees it.
                self.assertTrue(all("Warning" in found for found in checked["diagnostics"]))
                # The service takes any other column for known then: those that are meant are the same.
                self.assertEqual(checked["columns"], self.checked[name]["columns"])
                self.assertEqual(checked["open"], name.endswith("InTIList"))


UNUSUAL = [
    inbound(to=people(21)),
    outbound(people(101, "other.example")),
    *[outbound(parts=[LOCKED])] * 2,
]


class YoungWorkspace(unittest.TestCase):
    def assert_still(self, before):
        others = [(way(**before), "old@young.example") for way in [inbound, outbound]]
        workspace = Workspace(
            stored("columns", [(event, "new@young.example") for event in UNUSUAL] + others)
        )
        for name in [
            "FirstSeenSenderToManyRecipients",
            "MultipleProtectedEmailsToUnknownRecipient",
            "OutboundVolumeSpike",
        ]:
            self.assertEqual(workspace.query(QUERIES[name]), [], name)

    def test_rules_that_know_what_is_usual_keep_still_until_they_do(self):
        self.assert_still({"sent": ago(days=6), "ingested": ago(days=6)})

    def test_they_keep_still_when_a_first_run_brings_weeks_at_once(self):
        self.assert_still({"sent": ago(days=9), "ingested": ago(minutes=5)})


class WithoutThreatIntelligence(unittest.TestCase):
    def test_rules_that_need_it_find_nothing_and_do_not_fail(self):
        workspace = Workspace(stored("columns", [(inbound(), "someone@other.example")]))
        for name in QUERIES:
            if name.endswith("InTIList"):
                self.assertEqual(workspace.query(QUERIES[name]), [], name)


if __name__ == "__main__":
    unittest.main()
