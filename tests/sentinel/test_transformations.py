"""The transformations in docs/deploy.md use what Azure supports in them, and store the rows that the
page says."""

import json
import re
import unittest

from kql import INTERPRETER, ROOT, Workspace, check

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
TEMPLATE = json.loads((ROOT / "azuredeploy.json").read_text(encoding="utf-8"))

STREAMS = {
    table: {column["name"]: column["type"].lower() for column in columns}
    for table, columns in TEMPLATE["variables"]["podColumns"].items()
}

# From Microsoft's page on KQL in transformations: the operators and functions that the examples use.
OPERATORS = {"where", "extend", "project", "project-away", "project-rename", "parse"}
FUNCTIONS = {"tostring", "isnotempty"}

TIME = "2026-11-01T10:00:00Z"


def examples():
    """Each transformation on the page, as `(table, query)`."""
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found = [
        pair
        for block in blocks
        for pair in json.loads(block).items()
        if isinstance(pair[1], str) and pair[1].startswith("source")
    ]
    assert len(found) == 3
    return found


def line(number, **members):
    return {
        "TimeGenerated": TIME,
        "eventTime": TIME,
        "id": f"line-{number}",
        "sm": {"qid": f"Q{number}"} | members,
    }


def message(number, **members):
    return {
        "TimeGenerated": TIME,
        "eventTime": TIME,
        "guid": f"message-{number}",
        "filter": members,
        "msgParts": [{"textExtracted": "words"}],
    }


ROWS = {
    "ProofpointPODMailLog_CL": [
        line(1, **{"from": "<a@example.com>"}),
        line(2, to=["<b@example.com>"], stat="Sent"),
        line(3, to=["<b@example.com>"], stat="Deferred: later"),
        line(4, to=["<c@example.com>"], stat=""),
    ],
    "ProofpointPODMessage_CL": [
        message(1, routeDirection="inbound"),
        message(2, routeDirection="outbound"),
        message(3, routeDirection="internal"),
        message(4),
    ],
}


def rows_of(query):
    """The rows that a transformation lets through, for each engine."""
    [table] = [table for table, text in examples() if text == query]
    columns = STREAMS[table]
    full = [dict.fromkeys(columns) | row for row in ROWS[table]]
    workspace = Workspace({"source": (columns, full)})
    yield workspace.query(query)
    if INTERPRETER:
        yield workspace.query_second_interpreter([query])[0]


class Transformations(unittest.TestCase):
    def test_examples_are_valid_on_their_stream(self):
        for table, query in examples():
            with self.subTest(query=query):
                checked = check({"source": STREAMS[table]}, {}, [query])[0]
                self.assertEqual(checked["diagnostics"], [])

    def test_examples_use_what_azure_supports(self):
        for _, query in examples():
            with self.subTest(query=query):
                source, *steps = re.split(r"\s*\|\s*", query)
                self.assertEqual(source, "source")
                self.assertLessEqual({step.split()[0] for step in steps}, OPERATORS)
                called = set(re.findall(r"(\w+)\(", query))
                self.assertLessEqual(called, FUNCTIONS)

    def stored(self, beginning):
        [query] = [query for _, query in examples() if beginning in query]
        return list(rows_of(query))

    def test_only_delivery_attempts_of_the_mail_log_stay(self):
        for rows in self.stored("sm.stat"):
            self.assertEqual([row["id"] for row in rows], ["line-2", "line-3"])

    def test_message_parts_go_and_every_message_stays(self):
        for rows in self.stored("project-away"):
            self.assertEqual([row["guid"] for row in rows], [f"message-{n}" for n in range(1, 5)])
            self.assertNotIn("words", json.dumps(rows, default=str))
            self.assertEqual([name for name in rows[0] if name.startswith("msgParts")], [])

    def test_only_inbound_messages_stay(self):
        for rows in self.stored("routeDirection"):
            self.assertEqual([row["guid"] for row in rows], ["message-1"])

    def test_every_row_that_stays_keeps_its_time(self):
        for _, query in examples():
            for rows in rows_of(query):
                self.assertTrue(rows)
                self.assertTrue(all(row["TimeGenerated"] for row in rows))


if __name__ == "__main__":
    unittest.main()
