"""The queries in the documents: they have no fault, and show of some rows what was worked out
without KQL."""

import unittest

import documented
from kql import INTERPRETER, Workspace, check
from panels import plain
from test_language import full
from traffic import BILLED

QUERIES = documented.queries()

# Where duplicates are counted, an estimate won't do.
ADVICE = "Suggestion KS515: If possible, consider switching to 'dcount'"


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tables = documented.tables()
        workspace = Workspace(cls.tables)
        texts = list(map(documented.runnable, QUERIES.values()))
        cls.answers = {"duckdb-kql": dict(zip(QUERIES, map(workspace.query, texts)))}
        if INTERPRETER.exists():
            cls.answers["another interpreter"] = dict(
                zip(QUERIES, workspace.second_opinions(texts), strict=True)
            )

    def test_queries_have_no_fault_and_nothing_to_fill_in(self):
        known = {
            name: columns | {BILLED: "real"} for name, columns in full().items()
        } | documented.AZURE
        for (name, query), checked in zip(
            QUERIES.items(), check(known, {}, list(QUERIES.values())), strict=True
        ):
            with self.subTest(query=name):
                faults = [found for found in checked["diagnostics"] if ADVICE not in found]
                self.assertEqual(faults, [])
                self.assertFalse(checked["open"])
                self.assertNotRegex(query, r"<[a-z ]+>")

    def test_queries_show_what_they_are_about(self):
        self.assertEqual(set(QUERIES), set(documented.SHOWN))
        for engine, answers in self.answers.items():
            for name, shown in documented.SHOWN.items():
                with self.subTest(engine=engine, query=name):
                    expected = shown(self.tables)
                    self.assertTrue(expected)
                    columns = expected[0]
                    found = [{column: row[column] for column in columns} for row in answers[name]]
                    self.assertCountEqual(map(plain, found), map(plain, expected))


if __name__ == "__main__":
    unittest.main()
