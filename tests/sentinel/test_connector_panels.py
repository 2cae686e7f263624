"""Runs the workbook's panels over the connector's table on days with faults, and compares them with results
worked out without KQL."""

import collections
import unittest

import comparison
import connector_panels
import connector_rows
import connector_week
import panels
from connector_rows import HOUR, SECOND
from functions import FunctionWorkspace, of_connector
from kql import INTERPRETER
from test_reconciliation import message, tables
from workbook import ABSOLUTE, CLUSTERS, CONNECTOR_PANELS, fill, runnable, untouched
from workbook import END as LATEST
from workbook import START as EARLIEST

START, END = EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None)

# The hours that are compared.
DAY = {"TimeRange:start": f"datetime({(END - 24 * HOUR).isoformat()})"}

# Messages of each hour. The workspace lacks one hour of one cluster, and most hours of another, as after a
# transformation.
DELIVERED = 4
LACKING = {("acme_hosted-message", START + HOUR): 2}
LACKING |= {("other_hosted-message", END - n * HOUR): 1 for n in range(20)}


def told():
    """A day on which all works, and then faults."""
    return connector_week.ordinary(END, 1, lambda *_: DELIVERED) + connector_week.faults(END)


def stored_messages(rows):
    """The messages that the workspace holds of the hours that were told of, without those that lack."""
    made = []
    for row in connector_panels.hours(rows):
        name, at = connector_panels.name(row), connector_panels.at(row)
        if row["FeedType"] == "message":
            lacks = LACKING.get((name, at), 0)
            origin = {"metadata": {"origin": {"data": {"cid": row["Account"]}}}}
            made += [
                message(f"{name} {at} {each}", at + each * SECOND, **origin)
                for each in range(row["Delivered"] - lacks)
            ]
    return made


class Panels(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.rows = told()
        cls.messages = stored_messages(cls.rows)
        made = tables("columns", cls.rows, cls.messages)
        cls.workspace = FunctionWorkspace(of_connector(), made, now=END)

    def query(self, panel, **values):
        filled = ABSOLUTE | untouched() | {"Cluster": "'*'"} | values
        query = fill(CONNECTOR_PANELS[panel]["query"], filled)
        return runnable(query.replace("now()", ABSOLUTE["TimeRange:end"]))

    def shown(self, panel, **values):
        return self.workspace.query(self.query(panel, **values))

    def chosen(self, cluster="'*'"):
        return connector_panels.chosen(self.rows, START, END, cluster)

    def check(self, shown, expected):
        self.assertCountEqual(map(panels.plain, shown), map(panels.plain, expected))

    def test_panels_show_the_rows_of_the_time_range(self):
        for filling, cluster in CLUSTERS.items():
            chosen = self.chosen(cluster)
            self.assertLess(len(chosen), len(self.rows))
            for panel, expected in connector_panels.SHOWN.items():
                with self.subTest(panel=panel, filling=filling):
                    meant = expected(chosen, END)
                    self.assertTrue(meant)
                    self.check(self.shown(panel, Cluster=cluster), meant)

    def test_a_feed_without_runs_is_told_apart(self):
        later = f"datetime({(END + 3 * HOUR).isoformat()})"
        query = self.query("connector-feeds").replace(
            f"({ABSOLUTE['TimeRange:end']} -", f"({later} -"
        )
        self.assertIn(later, query)
        states = {row["Feed"]: row["State"] for row in self.workspace.query(query)}
        self.assertEqual(set(states.values()), {"no run"})

    def test_each_state_of_feeds_and_of_hours_is_shown(self):
        states = {row["State"] for row in self.shown("connector-feeds")}
        self.assertEqual(states, {"up to date", "catching up", "failed"})
        words = {word for row in self.shown("connector-calendar") for word in row.values()}
        self.assertLessEqual({"proved", "believed", "open", "lost"}, words)

    def compared(self):
        found = collections.Counter(
            (
                f"{event['metadata']['origin']['data']['cid']}-message",
                connector_panels.times.read(event["ts"]).replace(minute=0, second=0),
            )
            for _, event in self.messages
        )
        return connector_panels.compared(self.rows, found, END - 24 * HOUR, END)

    def test_feeds_are_compared_with_what_the_workspace_holds(self):
        expected = []
        for (feed,), rows in connector_panels.grouped(self.compared(), lambda row: row["Feed"]):
            short = sum(row["Missing"] > 0 for row in rows)
            few = 4 * short <= len(rows)
            result = "hours incomplete" if few else "many hours incomplete"
            expected.append(
                {
                    "Feed": "tap" if feed.endswith("-tap") else feed,
                    "Result": result if short else "complete",
                    "HoursCompared": len(rows),
                    "HoursIncomplete": short,
                    "Delivered": sum(row["Delivered"] for row in rows),
                    "Missing": sum(row["Missing"] for row in rows),
                }
            )
        shown = self.shown("connector-reconciliation", **DAY)
        self.assertTrue(all(row.pop("Meaning") for row in shown))
        self.check(shown, expected)

    def listed(self, **values):
        rows = self.shown("connector-incomplete", **DAY, **values)
        return {(row["Feed"], row["Hour"]): row["Missing"] for row in rows}

    def test_incomplete_hours_are_listed_with_their_command(self):
        usual = {"acme_hosted-message"}
        every = {
            (row["Feed"], connector_panels.at(row)): row["Missing"]
            for row in self.compared()
            if row["Missing"]
        }
        self.assertGreater(len(every), len(LACKING) / 2)
        self.assertEqual(self.listed(), {key: of for key, of in every.items() if key[0] in usual})
        for feed in ["acme_hosted-message", "other_hosted-message"]:
            meant = {key: of for key, of in every.items() if key[0] == feed}
            self.assertTrue(meant)
            self.assertEqual(self.listed(ComparedFeed=feed), meant)
        [row] = self.shown("connector-incomplete", **DAY)
        self.assertIn("collect --again --type message --cluster acme_hosted", row["Command"])

    def test_at_most_seven_days_are_compared(self):
        early = {"TimeRange:start": f"datetime({(END - 30 * 24 * HOUR).isoformat()})"}
        for panel in ["connector-reconciliation", "connector-incomplete"]:
            query = self.query(panel, **early)
            [row] = self.workspace.query(query[: query.index(";\n") + 2] + "print Value = Start")
            self.assertEqual(row["Value"], END - 7 * 24 * HOUR)

    def test_every_panel_is_tested(self):
        own = {"connector-reconciliation", "connector-incomplete"}
        self.assertEqual(set(connector_panels.SHOWN) | own, set(CONNECTOR_PANELS))

    @unittest.skipUnless(INTERPRETER, "another interpreter is not at hand")
    def test_the_second_interpreter_shows_the_same(self):
        queries = {panel: self.query(panel) for panel in CONNECTOR_PANELS}
        answers = self.workspace.opinions(list(queries.values()))
        for (panel, query), answer in zip(queries.items(), answers, strict=True):
            with self.subTest(panel=panel):
                both = [
                    comparison.comparable(query, rows)
                    for rows in (self.workspace.query(query), answer)
                ]
                self.assertCountEqual(*both)

    def test_every_panel_answers_in_an_empty_workspace(self):
        empty = FunctionWorkspace(
            of_connector(), {"Other": ({"TimeGenerated": "datetime"}, [])}, now=END
        )
        for panel in CONNECTOR_PANELS:
            with self.subTest(panel=panel):
                self.assertEqual(empty.query(self.query(panel)), [])

    def test_columns_have_colours_with_words(self):
        for panel in CONNECTOR_PANELS.values():
            for formatter in panel.get("gridSettings", {}).get("formatters", []):
                for threshold in formatter["formatOptions"].get("thresholdsGrid", []):
                    self.assertEqual(threshold["text"], "{0}{1}")

    def test_rows_are_in_the_table_of_the_workspace(self):
        self.assertIn(connector_rows.TABLE, self.workspace.tables)


if __name__ == "__main__":
    unittest.main()
