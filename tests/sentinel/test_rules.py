"""Each analytic rule: matching events raise it, and events that miss one of its conditions do not, for
both destinations."""

import json
import re
import unittest

import comparison
import rule_cases
import threat_indicators
import watchlists
from kql import INTERPRETER, PARSER, Workspace, check_all
from rule_cases_mail import LOCKED, people
from rule_events import RUN, ago, inbound, outbound, stored
from rules import QUERIES, RULES, named
from test_parser import DECLARED

DESTINATIONS = {"Logs Ingestion API": "columns", "HTTP Data Collector API": "legacy"}


def workspaces():
    """The events of all cases in the tables of each destination."""
    addressed = list(rule_cases.addressed())
    listed = {"ThreatIntelIndicators": threat_indicators.table(addressed)} | watchlists.tables()
    return {
        name: Workspace(stored(shape, addressed) | listed, RUN)
        for name, shape in DESTINATIONS.items()
    }


def of_case(rule, row):
    """The addresses of the rule's cases that a row names. Every case has its own names."""
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
            if INTERPRETER:
                opinions = workspace.query_second_interpreter(list(QUERIES.values()))
                cls.answers[destination, "another interpreter"] = opinions

    def test_every_rule_has_cases_that_raise_it_and_cases_that_do_not(self):
        self.assertEqual(list(RULES), sorted(rule_cases.CASES))
        for name, case in rule_cases.CASES.items():
            self.assertTrue(all(case), name)

    def test_only_matching_events_raise_a_rule(self):
        for where, name, rows in self.each_answer():
            with self.subTest(where=where, rule=name):
                meant = {
                    rule_cases.sender(name, "raises", number)
                    for number, _ in enumerate(rule_cases.CASES[name][0])
                }
                found = set().union(*[of_case(name, row) for row in rows])
                self.assertEqual(found, meant)

    @unittest.skipUnless(INTERPRETER, "the second interpreter is missing")
    def test_another_interpreter_gives_the_same_answers(self):
        comparison.assert_engines_agree(self, QUERIES, DESTINATIONS)

    def test_alerts_have_the_expected_columns(self):
        for where, name, rows in self.each_answer():
            with self.subTest(where=where, rule=name):
                first = rule_cases.sender(name, "raises", 0)
                alerts = [row for row in rows if first in of_case(name, row)]
                self.assertEqual(len(alerts), 1, alerts)
                for column, value in rule_cases.CASES[name][2].items():
                    self.assertEqual(
                        comparison.plain(alerts[0][column]), comparison.plain(value), column
                    )

    def test_lists_at_the_top_of_a_query_exclude_alerts(self):
        lists = {
            (name, found)
            for name in QUERIES
            for found in re.findall(r"let (\w+) = dynamic\(\[\]\);", QUERIES[name])
        }
        self.assertEqual(lists, set(rule_cases.EXCEPTIONS))
        for (name, of_user), value in rule_cases.EXCEPTIONS.items():
            with self.subTest(rule=name, of_user=of_user):
                rows = self.with_list(name, of_user, value)
                self.assertNotIn(
                    rule_cases.sender(name, "raises", 0),
                    set().union(*[of_case(name, row) for row in rows]),
                )

    def test_an_alert_on_a_vip_has_severity_high(self):
        for where, name, rows in self.each_answer():
            if name == "ImpostorDelivered":
                with self.subTest(where=where):
                    named = [row for row in rows if row["Author"].startswith("EXAMPLE,  Erika")]
                    self.assertEqual([row["AlertSeverity"] for row in named], ["High"])
                    others = {row["AlertSeverity"] for row in rows if row not in named}
                    self.assertEqual(others, {"Medium"})

    def test_each_recipient_of_a_delivered_threat_has_an_alert(self):
        for rule, number in {"EmailUrlInTIList": 7, "HighRiskNotDiscarded": 1}.items():
            for where, name, rows in self.each_answer():
                if name == rule:
                    with self.subTest(where=where, rule=rule):
                        self.assertEqual(
                            self.recipients(rule, number, rows),
                            ["one@acme.example", "two@acme.example"],
                        )

    def test_an_excepted_recipient_hides_no_other(self):
        for rule in ["HighRiskNotDiscarded", "PhishDelivered"]:
            rows = self.with_list(rule, "exceptedRecipients", "one@acme.example")
            number = len(rule_cases.CASES[rule][0]) - 1
            self.assertEqual(self.recipients(rule, number, rows), ["two@acme.example"], rule)

    def recipients(self, rule, number, rows):
        case = rule_cases.sender(rule, "raises", number)
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
        # The table of a workspace: with more columns, and with a type that the engines do not have.
        others = {"Confidence": "int", "Data": "dynamic", "Tags": "string"}
        full = DECLARED | {"ThreatIntelIndicators": threat_indicators.COLUMNS | others}
        asked = {"functions": {"ProofpointPOD": PARSER}, "queries": list(QUERIES.values())}
        watched = dict.fromkeys(watchlists.VALUES, watchlists.COLUMNS)
        full |= watched
        requests = [asked | {"tables": tables} for tables in [full, DECLARED | watched]]
        cls.checked, cls.without_indicators = [
            dict(zip(QUERIES, checked, strict=True)) for checked in check_all(requests)
        ]

    def test_queries_are_valid_and_return_the_columns_that_rules_name(self):
        for name, rule in RULES.items():
            with self.subTest(rule=name):
                checked = self.checked[name]
                self.assertEqual(checked["diagnostics"], [])
                self.assertFalse(checked["open"])
                self.assertLessEqual(named(rule), set(checked["columns"]))
                # Without it, an alert would cover the whole query period.
                self.assertEqual(checked["columns"].get("TimeGenerated"), "datetime")

    def test_entity_identifiers_are_strings(self):
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
                # Sentinel accepts a fuzzy union that names a missing table.
                self.assertTrue(all("Warning" in found for found in checked["diagnostics"]))
                # The service then accepts any other column, so the expected columns are compared.
                self.assertEqual(checked["columns"], self.checked[name]["columns"])
                self.assertEqual(checked["open"], name.endswith("InTIList"))


UNUSUAL = [
    inbound(to=people(21)),
    outbound(people(101, "other.example")),
    *[outbound(parts=[LOCKED])] * 2,
]


class YoungWorkspace(unittest.TestCase):
    def assert_no_alerts(self, before):
        others = [(way(**before), "old@young.example") for way in [inbound, outbound]]
        workspace = Workspace(
            stored("columns", [(event, "new@young.example") for event in UNUSUAL] + others), RUN
        )
        for name in [
            "FirstSeenSenderToManyRecipients",
            "MultipleProtectedEmailsToUnknownRecipient",
            "OutboundVolumeSpike",
        ]:
            self.assertEqual(workspace.query(QUERIES[name]), [], name)

    def test_baseline_rules_raise_no_alert_in_the_first_week(self):
        self.assert_no_alerts({"sent": ago(days=6), "ingested": ago(days=6)})

    def test_a_first_run_with_weeks_of_events_raises_no_alert(self):
        self.assert_no_alerts({"sent": ago(days=9), "ingested": ago(minutes=5)})


class WithoutThreatIntelligence(unittest.TestCase):
    def test_threat_intelligence_rules_find_nothing_without_it(self):
        workspace = Workspace(stored("columns", [(inbound(), "someone@other.example")]), RUN)
        for name in QUERIES:
            if name.endswith("InTIList"):
                self.assertEqual(workspace.query(QUERIES[name]), [], name)


if __name__ == "__main__":
    unittest.main()
