"""The queries in the documentation are valid, and show what was computed without KQL."""

import unittest

import connector_rows
import doc_queries
import tap
from kql import INTERPRETER, Workspace, check
from panels import plain
from test_language import full
from traffic import BILLED

QUERIES = doc_queries.queries()

# Counting duplicates needs exact numbers.
ADVICE = "Suggestion KS515: If possible, consider switching to 'dcount'"


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tables = doc_queries.tables()
        workspace = Workspace(cls.tables)
        texts = list(map(doc_queries.runnable, QUERIES.values()))
        cls.answers = {"duckdb-kql": dict(zip(QUERIES, map(workspace.query, texts), strict=True))}
        if INTERPRETER:
            cls.answers["another interpreter"] = dict(
                zip(QUERIES, workspace.query_second_interpreter(texts), strict=True)
            )

    def test_queries_are_valid_and_have_no_placeholders(self):
        ours = (
            full()
            | {connector_rows.TABLE: connector_rows.COLUMNS}
            | {name: tap.COLUMNS[name] for name in tap.TABLES.values()}
        )
        known = {name: columns | {BILLED: "real"} for name, columns in ours.items()}
        known |= doc_queries.AZURE
        for (name, query), checked in zip(
            QUERIES.items(), check(known, {}, list(QUERIES.values())), strict=True
        ):
            with self.subTest(query=name):
                faults = [found for found in checked["diagnostics"] if ADVICE not in found]
                self.assertEqual(faults, [])
                self.assertFalse(checked["open"])
                self.assertNotRegex(query, r"<[a-z ]+>")

    def test_queries_show_the_expected_rows(self):
        self.assertEqual(set(QUERIES), set(doc_queries.SHOWN))
        for engine, answers in self.answers.items():
            for name, shown in doc_queries.SHOWN.items():
                with self.subTest(engine=engine, query=name):
                    expected = shown(self.tables)
                    self.assertTrue(expected)
                    columns = expected[0]
                    found = [{column: row[column] for column in columns} for row in answers[name]]
                    self.assertCountEqual(map(plain, found), map(plain, expected))


if __name__ == "__main__":
    unittest.main()
