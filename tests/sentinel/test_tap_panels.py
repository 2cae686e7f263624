"""Runs the panels of the tab TAP on records and compares them with results worked out without KQL."""

import json
import unittest

import comparison
import panels
import rule_events
import tap_panels
import tap_traffic
from kql import INTERPRETER
from tap import TapWorkspace
from test_parser import NAMES, TABLES
from workbook import ABSOLUTE, CLUSTERS, END, START, TAP_PANELS, fill, runnable, untouched

GUID = "guid7"


def gateway():
    """The gateway's event of one message and its mail log lines, within the time range."""
    message = rule_events.events.message(GUID, ts="2026-11-20T12:00:00Z")
    line = {
        "id": "line",
        "ts": "2026-11-20T12:00:01Z",
        "data": "delivered",
        "sm": {"qid": f"qid-{GUID}"},
    }
    return {
        NAMES[kind]: (
            TABLES[NAMES[kind]],
            rule_events.events.rows(kind, "columns", [json.dumps(event)]),
        )
        for kind, event in {"message": message, "maillog": line}.items()
    }


def comparable(row):
    """A row as text, with sets in order."""
    return panels.plain({name: comparison.plain(value) for name, value in row.items()})


class Panels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.records = tap_traffic.records()
        cls.tables = tap_traffic.tables(cls.records) | gateway()
        cls.workspace = TapWorkspace(cls.tables)

    def query(self, panel, **values):
        filled = ABSOLUTE | untouched() | {"Cluster": "'*'"} | values
        return runnable(fill(TAP_PANELS[panel]["query"], filled))

    def shown(self, panel, **values):
        return self.workspace.query(self.query(panel, **values))

    def chosen(self, cluster="'*'"):
        """The records in the time range and of some clusters. Clicks have no cluster."""
        bounds = [at.replace(tzinfo=None) for at in (START, END)]
        rows = tap_panels.in_range(map(tap_panels.of, self.records), *bounds)
        return [
            row
            for row in rows
            if cluster == "'*'" or row["kind"] == "click" or f"'{row['cluster']}'" in cluster
        ]

    def check(self, panel, shown, expected):
        key = TAP_PANELS[panel].get("exportFieldName", "")
        if key in ("UserKey", "CampaignKey"):
            shown = [{name: row[name] for name in row if name != key} for row in shown]
        if panel == "tap-late":
            shown = [
                {name: row[name] for name in row if name != "Classifications"} for row in shown
            ]
        limit, column = tap_panels.LARGEST.get(panel, (len(expected), None))
        comparison.assert_largest(self, shown, expected, limit, column)

    def test_panels_show_the_records_of_the_time_range(self):
        for filling, cluster in CLUSTERS.items():
            chosen = self.chosen(cluster)
            self.assertLess(len(chosen), len(self.records))
            for panel, expected in tap_panels.SHOWN.items():
                with self.subTest(panel=panel, filling=filling):
                    self.assertTrue(expected(chosen))
                    self.check(panel, self.shown(panel, Cluster=cluster), expected(chosen))

    def test_every_panel_is_tested(self):
        own = {"tap-list", "tap-message", "tap-trace"}
        self.assertEqual(set(tap_panels.SHOWN) | own, set(TAP_PANELS))

    def listed(self, **values):
        return self.shown("tap-list", **values)

    def test_a_click_lists_as_many_records_as_are_counted(self):
        counts = {"tap-names": "Records", "tap-classification": "Messages"}
        for panel, count in counts.items():
            settings = TAP_PANELS[panel]
            for row in self.shown(panel):
                # The list has what has a threat.
                chosen = {settings["exportParameterName"]: row[settings["exportFieldName"]]}
                with self.subTest(panel=panel, chosen=chosen):
                    of_name = [
                        each
                        for each in self.chosen()
                        if each["threats"] and each["name"] == row.get("EventName")
                    ]
                    expected = len(of_name) if panel == "tap-names" else row[count]
                    self.assertEqual(len(self.listed(**chosen)), expected)

    def test_a_click_on_a_user_or_a_campaign_lists_its_records(self):
        [user] = [row for row in self.shown("tap-users") if row["User"] == "user3@acme.example"]
        of_user = [
            row
            for row in tap_panels.by_user(self.chosen())
            if row["user"] == user["User"] and row["threats"]
        ]
        self.assertEqual(len(self.listed(TapOfUser=user["UserKey"])), len(of_user))
        for row in self.shown("tap-campaigns"):
            found = self.listed(TapOfCampaign=row["CampaignKey"])
            names = [each["EventName"] for each in found]
            self.assertEqual(names.count("messageDelivered"), row["Delivered"])
            self.assertEqual(names.count("clicksPermitted"), row["Clicks"])

    def test_a_click_on_a_record_shows_its_message_and_trace(self):
        self.assertEqual(self.shown("tap-message"), [])
        self.assertEqual(self.shown("tap-trace"), [])
        found = self.shown("tap-message", TapMessage=GUID)
        expected = [
            (row["name"], threat["ThreatId"])
            for row in self.chosen()
            if row["record"]["GUID"] == GUID
            for threat in row["threats"]
        ]
        self.assertTrue(expected)
        self.assertCountEqual([row["EventName"] for row in found], [name for name, _ in expected])
        steps = [row["Step"] for row in self.shown("tap-trace", TapMessage=GUID)]
        self.assertEqual(steps, ["filtered", "received"])

    def test_text_of_senders_does_not_get_into_a_query(self):
        exported = {
            panel["exportFieldName"] for panel in TAP_PANELS.values() if "exportFieldName" in panel
        }
        self.assertEqual(
            exported, {"EventName", "Classification", "UserKey", "CampaignKey", "Guid"}
        )

    @unittest.skipUnless(INTERPRETER, "another interpreter is not at hand")
    def test_the_second_interpreter_shows_the_same(self):
        queries = {panel: self.query(panel) for panel in TAP_PANELS if panel != "tap-trace"}
        opinions = self.workspace.opinions(list(queries.values()))
        for panel, answer in zip(queries, opinions, strict=True):
            with self.subTest(panel=panel):
                shown = [self.workspace.query(queries[panel]), answer]
                if panel == "tap-list":
                    # Of threats of the same time, either can be shown.
                    shown = [[row["Guid"] + row["EventName"] for row in rows] for rows in shown]
                elif panel in tap_panels.LARGEST:
                    _, column = tap_panels.LARGEST[panel]
                    shown = [[row[column] for row in rows] for rows in shown]
                else:
                    shown = [[comparable(row) for row in rows] for rows in shown]
                self.assertCountEqual(*shown)

    def test_every_panel_answers_in_an_empty_workspace(self):
        empty = TapWorkspace({})
        for panel in TAP_PANELS:
            with self.subTest(panel=panel):
                self.assertEqual(empty.query(self.query(panel)), [])


if __name__ == "__main__":
    unittest.main()
