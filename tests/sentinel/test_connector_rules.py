"""Each rule over what the connector says of itself: matching rows raise it, and rows that miss one of its
conditions do not, for both destinations."""

import re
import unittest

import comparison
import connector_rows
import connector_rule_cases
import tap
import times
from connector_rows import HOUR, feed, run
from connector_rule_cases import CASES, LISTS, NOW, account, named, of_rule, text
from functions import FunctionWorkspace, of_connector
from kql import INTERPRETER, ROOT, check_all
from rule_cases_operations import hourly
from rule_events import ago, inbound, stored
from rules import ALL_RULES, CONNECTOR_RULES
from rules import named as columns_of
from test_parser import DECLARED
from test_reconciliation import tables
from test_rule_form import minutes

DESTINATIONS = {"Logs Ingestion API": "columns", "HTTP Data Collector API": "legacy"}

QUERIES = {name: ALL_RULES[name]["query"] for name in CASES}


def of_case(rule, row):
    """The accounts of the rule's cases that a row names."""
    return set(re.findall(rf"(?:raises|misses)\d+_{rule.lower()}", text(row)))


class Rules(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.workspaces = {
            (destination, name): FunctionWorkspace(
                of_connector(), tables(shape, *of_rule(name)), now=NOW
            )
            for destination, shape in DESTINATIONS.items()
            for name in CASES
        }
        cls.answers = {}
        for destination in DESTINATIONS:
            of_each = [cls.workspaces[destination, name] for name in CASES]
            pairs = list(zip(of_each, QUERIES.values(), strict=True))
            cls.answers[destination, "duckdb-kql"] = [each.query(text) for each, text in pairs]
            if INTERPRETER:
                opinions = [each.opinions([text])[0] for each, text in pairs]
                cls.answers[destination, "another interpreter"] = opinions

    def each_answer(self):
        for where, answers in self.answers.items():
            for name, rows in zip(QUERIES, answers, strict=True):
                with self.subTest(where=where, rule=name):
                    yield name, rows

    def test_every_rule_has_cases_that_raise_it_and_cases_that_do_not(self):
        self.assertEqual(sorted([*CONNECTOR_RULES, "ConnectorSilent"]), list(CASES))
        for name, case in CASES.items():
            self.assertTrue(all(case), name)

    def test_only_matching_rows_raise_a_rule(self):
        for name, rows in self.each_answer():
            meant = {account(name, "raises", number) for number, _ in enumerate(CASES[name][0])}
            self.assertEqual(set().union(*[of_case(name, row) for row in rows]), meant)

    def test_each_case_is_one_alert(self):
        for name, rows in self.each_answer():
            self.assertEqual(len(rows), len(CASES[name][0]))

    def test_alerts_have_the_expected_columns(self):
        for name, rows in self.each_answer():
            first = account(name, "raises", 0)
            [alert] = [row for row in rows if first in of_case(name, row)]
            said = {column: named(value, first) for column, value in CASES[name][2].items()}
            found = {column: comparison.plain(alert[column]) for column in said}
            self.assertEqual(
                found, {column: comparison.plain(value) for column, value in said.items()}
            )

    @unittest.skipUnless(INTERPRETER, "the second interpreter is missing")
    def test_another_interpreter_gives_the_same_answers(self):
        comparison.assert_engines_agree(self, QUERIES, DESTINATIONS)

    def test_lists_at_the_top_of_a_query_exclude_alerts(self):
        found = {
            (name, of_user)
            for name, query in QUERIES.items()
            for of_user in re.findall(r"let (\w+) = dynamic\(\[\]\);", query)
        }
        self.assertEqual(found, set(LISTS))
        for (name, of_user), value in LISTS.items():
            with self.subTest(rule=name):
                first = account(name, "raises", 0)
                empty = f"let {of_user} = dynamic([]);"
                full = f'let {of_user} = dynamic(["{named(value, first)}"]);'
                workspace = self.workspaces["Logs Ingestion API", name]
                rows = workspace.query(QUERIES[name].replace(empty, full))
                self.assertNotIn(first, set().union(*[of_case(name, row) for row in rows]))

    def test_a_run_that_succeeds_is_told_apart_from_one_that_fails(self):
        for name, rows in self.each_answer():
            if name == "ConnectorSilent":
                told = {each: row["Why"] for row in rows for each in of_case(name, row)}
                self.assertEqual(told[account(name, "raises", 3)], "runs fail with PPS2009")


class Runs(unittest.TestCase):
    def test_what_is_told_raises_a_rule_in_one_run(self):
        for name in CONNECTOR_RULES:
            case = CASES[name][0][0]
            events = case.messages("a") if name == "ConnectorHourIncomplete" else []
            made = tables("columns", case("a"), [("message", each) for each in events])
            workspace = FunctionWorkspace(of_connector(), made)
            raised = []
            for hours in range(-3, 4):
                workspace.now = NOW + hours * HOUR
                raised += [hours] * len(workspace.query(QUERIES[name]))
            with self.subTest(rule=name):
                self.assertEqual(raised, [0])

    def test_rules_are_shown_every_row_that_waited(self):
        # A row of an hour can wait for two days before Azure replaces its time.
        for name in ["ConnectorHourLost", "ConnectorHourIncomplete"]:
            self.assertGreaterEqual(minutes(CONNECTOR_RULES[name]["queryPeriod"]), minutes("3d"))

    def test_silence_of_proofpoint_is_told_apart_from_that_of_the_connector(self):
        now = times.read(ago())
        address = "acme@silent.example"
        told = {
            "runs succeed, and Proofpoint sends nothing": (address, range(20)),
            "no run has ended": (address.upper(), range(3, 20)),
            # Of another cluster.
            "": ("other_hosted", range(20)),
        }
        events = [(each, address) for each in hourly(inbound, range(3, 30))]
        for why, (name, hours) in told.items():
            runs = [run(feed(account=name), now - each * HOUR) for each in hours]
            made = connector_rows.stored("columns", runs) | stored("columns", events)
            workspace = FunctionWorkspace(of_connector(), made, now)
            [alert] = workspace.query(QUERIES["ConnectorSilent"])
            with self.subTest(why=why):
                self.assertEqual((alert["Why"], alert["Events"]), (why, 23))


class Codes(unittest.TestCase):
    def test_codes_are_those_of_credentials_in_the_documentation(self):
        page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
        words = r"token|credential|secret|Key Vault|refuses access|forbidden"
        meant = {
            code
            for code, title in re.findall(r"(?m)^### (PPS\d+): (.*)$", page)
            if re.search(words, title) and not code.startswith("PPS4")
        }
        # The token is in use: it is valid. The TAP API is not enabled: its title does not say it.
        meant = meant - {"PPS2005"} | {"PPS2106"}
        self.assertEqual(set(connector_rule_cases.CODES), meant)
        query = QUERIES["ConnectorCredentialRefused"]
        self.assertEqual(set(re.findall(r'"(PPS\d+)"', query)), meant)


class Language(unittest.TestCase):
    def test_queries_are_valid_and_return_the_columns_that_rules_name(self):
        known = DECLARED | tap.tables() | {connector_rows.TABLE: connector_rows.COLUMNS}
        functions = of_connector().checked(known)
        queries = [ALL_RULES[name]["query"] for name in CASES]
        [answers] = check_all([{"tables": known, "functions": functions, "queries": queries}])
        for name, checked in zip(CASES, answers, strict=True):
            with self.subTest(rule=name):
                self.assertEqual(checked["diagnostics"], [])
                self.assertFalse(checked["open"])
                self.assertLessEqual(columns_of(ALL_RULES[name]), set(checked["columns"]))
                self.assertEqual(checked["columns"].get("TimeGenerated"), "datetime")
                fields = [
                    field["columnName"]
                    for entity in ALL_RULES[name]["entityMappings"]
                    for field in entity["fieldMappings"]
                ]
                self.assertEqual({checked["columns"][field] for field in fields}, {"string"})


if __name__ == "__main__":
    unittest.main()
