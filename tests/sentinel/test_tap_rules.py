"""Each analytic rule over TAP: matching records raise it, and records that miss one of its conditions do
not, for both destinations."""

import json
import re
import unittest

import comparison
import rule_events
import tap
import tap_records
import tap_rule_cases
from kql import INGESTED, INTERPRETER, PARSER, check_all
from rules import TAP_RULES, named
from tap import TapWorkspace
from tap_rule_cases import CASES, LISTS, sender
from test_parser import DECLARED, NAMES, TABLES, collected

# The time at which the runs are due.
NOW = tap_records.NOW.replace(tzinfo=None)

QUERIES = {name: rule["query"] for name, rule in TAP_RULES.items()}
OF_RECORDS = {name: QUERIES[name] for name in CASES}
DESTINATIONS = {"Logs Ingestion API": "columns", "HTTP Data Collector API": "legacy"}


def tables(shape):
    """The records of all cases, and the events of the gateway."""
    made = tap_rule_cases.occurrences()
    of_gateway = [each for each in made if not each["array"]]
    texts = [json.dumps(each["record"]) for each in of_gateway]
    name, columns = NAMES["message"], TABLES[NAMES["message"]]
    rows = rule_events.events.rows("message", shape, texts)
    if shape == "legacy":
        name = "ProofpointPOD_message_CL"
        columns, rows = collected(rows)
    arrived = [
        row | {INGESTED: each["arrived"]} for row, each in zip(rows, of_gateway, strict=True)
    ]
    return tap_records.stored(shape, made) | {name: (columns, arrived)}


def of_case(rule, row):
    """The addresses of the rule's cases that a row names."""
    text = json.dumps(row, default=str).lower()
    return set(re.findall(rf"(?:raises|misses)\d+@{rule.lower()}\.example", text))


class Rules(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.answers, cls.workspaces = {}, {}
        for destination, shape in DESTINATIONS.items():
            made = tables(shape)
            workspace = cls.workspaces[destination] = TapWorkspace(made, NOW)
            cls.answers[destination, "duckdb-kql"] = list(map(workspace.query, OF_RECORDS.values()))
            if INTERPRETER:
                opinions = workspace.opinions(list(OF_RECORDS.values()))
                cls.answers[destination, "another interpreter"] = opinions

    def each_answer(self):
        for where, answers in self.answers.items():
            for name, rows in zip(OF_RECORDS, answers, strict=True):
                yield where, name, rows

    def test_every_rule_has_cases_that_raise_it_and_cases_that_do_not(self):
        self.assertEqual(list(TAP_RULES), sorted([*CASES, "TapSilent"]))
        for name, case in CASES.items():
            self.assertTrue(all(case), name)

    def test_only_matching_records_raise_a_rule(self):
        for where, name, rows in self.each_answer():
            with self.subTest(where=where, rule=name):
                raises, _, _ = CASES[name]
                meant = {sender(name, "raises", number) for number, _ in enumerate(raises)}
                self.assertEqual(set().union(*[of_case(name, row) for row in rows]), meant)

    def test_alerts_have_the_expected_columns(self):
        for where, name, rows in self.each_answer():
            with self.subTest(where=where, rule=name):
                first = sender(name, "raises", 0)
                alerts = [row for row in rows if first in of_case(name, row)]
                self.assertEqual(len(alerts), 1, alerts)
                expected = CASES[name][2]
                found = {column: comparison.plain(alerts[0][column]) for column in expected}
                meant = {column: comparison.plain(value) for column, value in expected.items()}
                self.assertEqual(found, meant)

    @unittest.skipUnless(INTERPRETER, "the second interpreter is missing")
    def test_another_interpreter_gives_the_same_answers(self):
        comparison.assert_engines_agree(self, OF_RECORDS, DESTINATIONS)

    def test_a_stopped_message_is_told_as_retracted(self):
        name = "TapDeliveredCondemnedClicked"
        for where, rule, rows in self.each_answer():
            if rule == name:
                told = {
                    number: [
                        (row["Retracted"], row["Gateway"])
                        for row in rows
                        if sender(name, "raises", number) in of_case(name, row)
                    ]
                    for number in [1, 2]
                }
                no_sign = "no sign in the gateway's log"
                unknown = "message unknown to the gateway's log"
                stopped = "stopped by the gateway after the verdict"
                meant = {1: [(no_sign, unknown)], 2: [(stopped, "continue by inbound")]}
                self.assertEqual(told, meant, where)

    def test_lists_at_the_top_of_a_query_exclude_alerts(self):
        found = {
            (name, of_user)
            for name, query in QUERIES.items()
            for of_user in re.findall(r"let (\w+) = dynamic\(\[\]\);", query)
        }
        self.assertEqual(found, set(LISTS.items()))
        for name, of_user in LISTS.items():
            with self.subTest(rule=name):
                first = sender(name, "raises", 0)
                empty = f"let {of_user} = dynamic([]);"
                query = QUERIES[name].replace(empty, f'let {of_user} = dynamic(["{first}"]);')
                rows = self.workspaces["Logs Ingestion API"].query(query)
                self.assertNotIn(first, set().union(*[of_case(name, row) for row in rows]))


class Silence(unittest.TestCase):
    def alerts(self, history):
        for shape in DESTINATIONS.values():
            made = tap_records.stored(shape, history) | {
                "Other": ({"TimeGenerated": "datetime"}, [])
            }
            yield TapWorkspace(made, NOW).query(QUERIES["TapSilent"])
            if INTERPRETER:
                yield TapWorkspace(made, NOW).opinions([QUERIES["TapSilent"]])[0]

    def test_silence_after_busy_days_raises_the_rule(self):
        for history in tap_rule_cases.SILENT:
            for rows in self.alerts(history):
                self.assertEqual(len(rows), 1)
                self.assertEqual(rows[0]["Records"], len(history))

    def test_records_or_quiet_days_do_not_raise_the_rule(self):
        for history in tap_rule_cases.NOT_SILENT:
            for rows in self.alerts(history):
                self.assertEqual(rows, [])


class Language(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        tables = DECLARED | tap.tables()
        functions = {"ProofpointPOD": PARSER} | tap.checked_functions()
        asked = {"tables": tables, "functions": functions, "queries": list(QUERIES.values())}
        [checked] = check_all([asked])
        cls.checked = dict(zip(QUERIES, checked, strict=True))

    def test_queries_are_valid_and_return_the_columns_that_rules_name(self):
        for name, rule in TAP_RULES.items():
            with self.subTest(rule=name):
                checked = self.checked[name]
                self.assertEqual(checked["diagnostics"], [])
                self.assertFalse(checked["open"])
                self.assertLessEqual(named(rule), set(checked["columns"]))
                self.assertEqual(checked["columns"].get("TimeGenerated"), "datetime")

    def test_entity_identifiers_are_strings(self):
        for name, rule in TAP_RULES.items():
            fields = [
                field for entity in rule["entityMappings"] for field in entity["fieldMappings"]
            ]
            kinds = {self.checked[name]["columns"][field["columnName"]] for field in fields}
            self.assertEqual(kinds, {"string"}, name)


class Runs(unittest.TestCase):
    def test_a_run_checks_what_arrived_since_the_last_run(self):
        for name, rule in TAP_RULES.items():
            if name != "TapSilent":
                news = f"(arrivedafter=ago({rule['queryFrequency']}), arrivedby=now())"
                self.assertEqual(rule["query"].count("arrivedafter"), 1, name)
                self.assertIn(news, rule["query"], name)


if __name__ == "__main__":
    unittest.main()
