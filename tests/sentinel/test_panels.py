"""Runs the workbook's panels on sample traffic and compares them with results computed without KQL."""

import collections
import datetime
import json
import unittest

import comparison
import message_search
import panels
import times
import traffic
from kql import INTERPRETER, Workspace
from test_parser import NAMES
from workbook import (
    ABSOLUTE,
    CLUSTERS,
    END,
    ODD,
    PANELS,
    RELATIVE,
    START,
    fill,
    runnable,
    untouched,
)

# Searches on Message Summary: what each kind of text finds, and what it must not find.
FOUND = {
    "GUID 31": "a GUID as a whole",
    "guid 10": "nothing in the time range, though other GUIDs begin so",
    "q31": "a queue id as a whole",
    "r31": "the queue id of a delivery",
    "R3": "nothing, though queue ids begin so",
    "192.0.2.21": "a sender's IP address as a whole",
    "192.0.2.2": "nothing, though addresses begin so",
    "m31@partner": "a part of a Message-ID",
    "found31": "a part of the name that the filter detected",
    "FILE31.zip": "a file name, but not in the text of a part",
    f"{31:064x}": "a SHA-256",
    f"{31:032x}": "an MD5, and the SHA-256 that contains it",
    "link1.example/?q=31": "a part of a URL",
    "labeledName": "nothing, because it names a field",
}


def minutes_between(early, late):
    """The difference in clock minutes, without the seconds."""
    return (late.replace(second=0) - early.replace(second=0)) // datetime.timedelta(minutes=1)


class Panels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.events = {
            "message": traffic.messages(),
            "maillog": traffic.maillog(),
            "audit": traffic.audit(),
        }
        cls.untimed = traffic.untimed(cls.events["message"])
        cls.tables = traffic.tables(cls.events)
        cls.workspace = Workspace(cls.tables)

    def query(self, panel, **values):
        """The panel's query at the end of the time range, by default for all clusters."""
        query = fill(PANELS[panel]["query"], ABSOLUTE | untouched() | {"Cluster": "'*'"} | values)
        return runnable(query.replace("now()", ABSOLUTE["TimeRange:end"]))

    def shown(self, panel, **values):
        return self.workspace.query(self.query(panel, **values))

    def chosen(self, kind, start=START, cluster="'*'"):
        """The events of some clusters from a time to the end of the time range."""
        shown = [*self.events[kind], *([self.untimed] if kind == "message" else [])]
        in_time = [event for event in shown if start <= traffic.at(event) <= END]
        return [
            event
            for event in in_time
            if cluster == "'*'" or f"'{panels.cluster(event)}'" in cluster
        ]

    def check(self, panel, shown, expected):
        """Asserts that the rows are the expected ones, or the largest of them if the panel limits them."""
        # A hidden column that a click passes on; test_drill_down.py tests it.
        key = PANELS[panel].get("exportFieldName", "")
        if key.endswith("Key"):
            shown = [{name: row[name] for name in row if name != key} for row in shown]
        limit, column = panels.LARGEST.get(panel, (len(expected), None))
        comparison.assert_largest(self, shown, expected, limit, column)

    def test_panels_show_the_events_of_the_time_range_and_the_clusters(self):
        for filling, cluster in CLUSTERS.items():
            for kind, of_kind in panels.SHOWN.items():
                chosen = self.chosen(kind, cluster=cluster)
                self.assertLess(len(chosen), len(self.events[kind]))
                for panel, expected in of_kind.items():
                    with self.subTest(panel=panel, filling=filling):
                        self.assertTrue(expected(chosen) or cluster != "'*'")
                        self.check(panel, self.shown(panel, Cluster=cluster), expected(chosen))

    def test_filters_select_messages(self):
        values = {
            "Sender": "SENDER1",
            "Recipient": "two@acme",
            "Subject": "%",
            "Direction": "inbound",
        }
        fillings = [{}, values, {"Direction": "unknown"}, {"Sender": "name 4"}]
        fillings += [
            {name: value}
            for filled in [values, *ODD]
            for name, value in filled.items()
            if name in values
        ]
        fillings += [{"Find": text} for text in FOUND]
        for filling in fillings:
            with self.subTest(filling=filling):
                passed = [
                    message
                    for message in self.chosen("message")
                    if message_search.passes(message, filling)
                ]
                if text := filling.get("Find"):
                    self.assertEqual(not passed, FOUND[text].startswith("nothing"))
                expected = panels.messages(Tile=lambda message: ["all", panels.outcome(message)])
                self.check(
                    "messages-outcome", self.shown("messages-outcome", **filling), expected(passed)
                )
                held = panels.only(panels.outcome, "held in quarantine")(passed)
                expected = panels.messages(EventOriginalTime=panels.hour, Outcome=panels.outcome)
                filling |= {"Outcome": "held in quarantine"}
                self.check("messages-time", self.shown("messages-time", **filling), expected(held))
                shown = [
                    row for row in self.shown("messages-list", **filling) if row.pop("MessageKey")
                ]
                self.check("messages-list", shown, list(map(message_search.listed, held)))

    def test_a_click_on_a_message_shows_its_trace(self):
        told_of_twice, without_id = 30, 42
        for number in [told_of_twice, without_id, traffic.UNNAMED]:
            row = next(row for row in self.shown("messages-list") if row["QueueId"] == f"Q{number}")
            steps = [
                (step["Step"], step["Line"])
                for step in self.shown("messages-trace", SelectedMessage=row["MessageKey"])
            ]
            expected = [("filtered", "")] * (2 if number == told_of_twice else 1) + [
                ("received", f"received {number}")
            ]
            if number != traffic.UNNAMED:
                expected += [("received", f"again {number}"), ("delivery", f"delivery {number}")]
            self.assertCountEqual(steps, expected)
        self.assertEqual(self.shown("messages-trace"), [])

    def test_quarantine_is_compared_with_the_previous_period(self):
        start = START + datetime.timedelta(hours=traffic.HOURS / 2)
        before = panels.quarantined(self.chosen("message"))
        now = [message for message in before if traffic.at(message) >= start]
        before = [message for message in before if traffic.at(message) < start]
        counts = [
            {
                row["Quarantine"]: row["Messages"]
                for row in panels.messages(Quarantine=panels.quarantine)(found)
            }
            for found in (now, before)
        ]
        shown = self.shown(
            "quarantine-change", **{"TimeRange:start": f"datetime({start.isoformat()})"}
        )
        self.assertGreater(len(shown), 2)
        self.assertEqual(
            {row["Quarantine"]: row["Messages"] for row in shown if row["Messages"]}, counts[0]
        )
        self.assertEqual(
            {row["Quarantine"]: row["MessagesBefore"] for row in shown if row["MessagesBefore"]},
            counts[1],
        )
        for row in shown:
            was = row["MessagesBefore"]
            change = round(100 * (row["Messages"] - was) / was, 1) if was else None
            self.assertEqual(row["ChangePercent"], change)

    def delays(self, kind):
        """The events of the time range, each with its delay in seconds."""
        number = {id(event): number for number, event in enumerate(self.events[kind])}
        return [
            (event, traffic.delay(number.get(id(event), 0)).total_seconds())
            for event in self.chosen(kind)
        ]

    def assert_percentile(self, value, values, share):
        """Asserts that a share of the values is at most this one, and the others are at least this one."""
        self.assertIn(value, values)
        self.assertGreaterEqual(sum(other <= value for other in values), share * len(values))
        self.assertGreaterEqual(sum(other >= value for other in values), (1 - share) * len(values))

    def test_health_shows_last_event_and_delay_of_each_type(self):
        rows = {row["EventType"]: row for row in self.shown("health-streams")}
        self.assertCountEqual(rows, self.events)
        for kind, row in rows.items():
            times_of_kind = [traffic.at(event) for event in self.chosen(kind)]
            delays = [delay for _, delay in self.delays(kind)]
            self.assertEqual(row["Events"], len(times_of_kind))
            self.assertEqual(row["LastEvent"], max(times_of_kind).replace(tzinfo=None))
            self.assertEqual(row["MinutesSinceLastEvent"], minutes_between(max(times_of_kind), END))
            self.assertEqual(row["MaxDelaySeconds"], max(delays))
            self.assert_percentile(row["MedianDelaySeconds"], delays, 0.5)

    def test_a_type_without_events_is_listed(self):
        rows = {
            row["EventType"]: row["Events"]
            for row in self.shown("health-streams", Cluster="'none such'")
        }
        self.assertEqual(rows, dict.fromkeys(self.events, 0))

    def test_median_delays_are_computed_per_hour(self):
        for kind in self.events:
            rows = [row for row in self.shown("health-delay-time") if row["EventType"] == kind]
            by_hour = collections.defaultdict(list)
            for event, delay in self.delays(kind):
                by_hour[panels.hour(event)].append(delay)
            self.assertCountEqual([row["EventOriginalTime"] for row in rows], by_hour)
            for row in rows:
                self.assert_percentile(
                    row["MedianDelaySeconds"], by_hour[row["EventOriginalTime"]], 0.5
                )

    def test_filter_processing_times_are_computed_per_hour(self):
        # For the message that was reported twice, the later time counts.
        last = {
            panels.key(message): message
            for message in sorted(self.chosen("message"), key=traffic.at)
        }
        by_hour = collections.defaultdict(list)
        for message in last.values():
            by_hour[panels.hour(message)].append(message["filter"]["durationSecs"])
        rows = self.shown("reports-duration")
        self.assertEqual([row["EventOriginalTime"] for row in rows], sorted(by_hour))
        for row in rows:
            self.assert_percentile(row["Median"], by_hour[row["EventOriginalTime"]], 0.5)
            self.assert_percentile(row["Percentile95"], by_hour[row["EventOriginalTime"]], 0.95)

    def test_events_of_all_types_are_counted_over_time(self):
        counted = collections.Counter(
            (panels.hour(event), kind) for kind in self.events for event in self.chosen(kind)
        )
        shown = {
            (row["EventOriginalTime"], row["EventType"]): row["Events"]
            for row in self.shown("health-volume-time")
        }
        self.assertEqual(shown, counted)

    def test_complete_intervals_without_events_are_gaps(self):
        minutes = datetime.timedelta(minutes=10)
        for early, late in [(0, 0), (3, 0), (0, 4)]:
            start, end = (
                START + datetime.timedelta(minutes=early),
                END - datetime.timedelta(minutes=late),
            )
            first = START + (minutes if early else 0 * minutes)
            intervals = [first + number * minutes for number in range(traffic.HOURS * 6)]
            intervals = [interval for interval in intervals if interval + minutes <= end]
            for cluster in CLUSTERS.values():
                expected = []
                for kind in self.events:
                    happened = [traffic.at(event) for event in self.chosen(kind, cluster=cluster)]
                    empty = [
                        at
                        for at in intervals
                        if not any(at <= time < at + minutes for time in happened)
                    ]
                    counts = {
                        "FirstEmpty": min(empty).replace(tzinfo=None),
                        "LastEmpty": max(empty).replace(tzinfo=None),
                    }
                    expected.append({"EventType": kind, "EmptyIntervals": len(empty)} | counts)
                limits = {
                    "TimeRange:start": f"datetime({start.isoformat()})",
                    "TimeRange:end": f"datetime({end.isoformat()})",
                }
                shown = self.shown("health-gaps", Cluster=cluster, **limits)
                self.assertCountEqual(map(panels.plain, shown), map(panels.plain, expected))

    def test_rows_that_repeat_an_event_are_duplicates(self):
        expected = []
        for table in NAMES.values():
            rows = [
                row
                for row in self.tables[table][1]
                if row["eventTime"] and START <= traffic.read(row["eventTime"]) <= END
            ]
            with_id = [
                (row.get("guid") or row.get("id"), row["eventTime"])
                for row in rows
                if row.get("guid") or row.get("id")
            ]
            copies = len(with_id) - len(set(with_id))
            self.assertGreater(copies, 0)
            counts = {"Duplicates": copies, "RowsWithoutId": len(rows) - len(with_id)}
            expected.append(
                {
                    "Table": table,
                    "Rows": len(rows),
                    "DuplicatePercent": round(100 * copies / len(rows), 1),
                }
                | counts
            )
        self.assertCountEqual(
            map(panels.plain, self.shown("health-duplicates")), map(panels.plain, expected)
        )

    def test_billed_volume_is_the_sum_per_table(self):
        expected = []
        for table, (_, rows) in self.tables.items():
            rows = [row for row in rows if START <= traffic.read(row["TimeGenerated"]) <= END]
            billed = [row[traffic.BILLED] for row in rows]
            last = max(times.read(row["TimeGenerated"]) for row in rows)
            counts = {"BytesPerRow": round(sum(billed) / len(rows)), "LastRow": last}
            expected.append(
                {"Table": table, "Rows": len(rows), "BilledBytes": sum(billed)} | counts
            )
        self.assertCountEqual(
            map(panels.plain, self.shown("health-billed")), map(panels.plain, expected)
        )

    def test_events_without_a_readable_time_are_counted(self):
        [row] = self.shown("health-untimed")
        self.assertEqual((row["EventType"], row["Events"]), ("message", 1))

    def test_the_list_of_audit_events_has_the_newest_first(self):
        shown = [
            (row["EventOriginalTime"], row["User"], row["Action"])
            for row in self.shown("audit-list")
        ]
        expected = [
            (
                times.read(event["ts"]),
                panels.at(event, "audit/user/email") or "",
                panels.at(event, "audit/action") or "",
            )
            for event in self.chosen("audit")
        ]
        self.assertEqual(shown, sorted(expected, reverse=True))

    def test_every_panel_is_tested(self):
        own = {
            *(
                "messages-outcome",
                "messages-time",
                "messages-list",
                "messages-trace",
                "quarantine-change",
            ),
            *(
                "health-streams",
                "health-delay-time",
                "health-volume-time",
                "health-gaps",
                "health-duplicates",
            ),
            *("health-billed", "health-untimed", "reports-duration", "audit-list"),
        }
        # test_drill_down.py tests the lists below the panels of these tabs.
        own |= {
            f"{tab}-{name}"
            for tab in ["overview", "tls", "quarantine", "reports"]
            for name in ["list", "trace"]
        } | {"tls-lines", "reports-lines"}
        self.assertEqual(
            {panel for of_kind in panels.SHOWN.values() for panel in of_kind} | own, set(PANELS)
        )

    @unittest.skipUnless(INTERPRETER, "another interpreter is not at hand")
    def test_the_second_interpreter_shows_the_same(self):
        queries = {panel: self.query(panel) for panel in PANELS}
        for panel, answer in zip(
            queries, self.workspace.query_second_interpreter(list(queries.values())), strict=True
        ):
            with self.subTest(panel=panel):
                shown = [
                    list(map(panels.plain, rows))
                    for rows in (self.workspace.query(queries[panel]), answer)
                ]
                limit, column = panels.LARGEST.get(panel, (None, None))
                if len(answer) == limit:
                    # Among rows with the same count, either can be in the largest.
                    shown = [[json.loads(row)[column] for row in rows] for rows in shown]
                self.assertCountEqual(*shown)

    def test_every_panel_answers_in_an_empty_workspace(self):
        empty = Workspace({})
        for name, panel in PANELS.items():
            with self.subTest(panel=name):
                empty.query(
                    runnable(fill(panel["query"], RELATIVE | untouched() | {"Cluster": "'*'"}))
                )


if __name__ == "__main__":
    unittest.main()
