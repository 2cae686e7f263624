"""The workbook: a portal could load it, its queries are without fault, and its panels show of some
traffic what was worked out without KQL."""

import datetime
import re
import unittest
import uuid

import panels
import times
import traffic
import workbook
from kql import PARSER, Workspace, check
from test_parser import tables
from workbook import PANELS, WORKBOOK, fill, runnable

START, END = traffic.FIRST, traffic.FIRST + datetime.timedelta(hours=traffic.HOURS)

ABSOLUTE = {
    "TimeRange": f"between (datetime({START.isoformat()}) .. datetime({END.isoformat()}))",
    "TimeRange:start": f"datetime({START.isoformat()})",
    "TimeRange:end": f"datetime({END.isoformat()})",
    "TimeRange:grain": "1h",
}
RELATIVE = ABSOLUTE | {"TimeRange": "> ago(1d)"}

CLUSTERS = {
    "all clusters": "'*'",
    "one cluster": "'acme_hosted'",
    "two, one of them unknown": "'other_hosted','unknown'",
}

# What a reader may type, but for the backticks that the filters refuse.
ODD = [
    {"Sender": 'odd"100%_\\o\'brien@', "Subject": '"50% off" \\ it\'s {free}', "Recipient": "ö{Subject}"},
    {"Sender": "\\", "Subject": '"', "Recipient": "' or //", "Direction": "unknown", "Outcome": "rejected", "SelectedMessage": "\\\"'"},
]


def untouched():
    """The values before a reader has typed or clicked anything, without those of every panel."""
    typed = {name: made.get("value", "") for name, made in workbook.parameters().items()}
    values = {name: value for name, value in typed.items() if isinstance(value, str)}
    return values | workbook.exported()


def in_columns(settings):
    """The columns that a panel's settings name, as patterns."""
    if isinstance(settings, list):
        return [column for member in settings for column in in_columns(member)]
    if not isinstance(settings, dict):
        return []
    own = [settings[name] for name in ["columnMatch", "fieldName", "exportFieldName"] if name in settings]
    return own + [column for member in settings.values() for column in in_columns(member)]


def drawn(panel):
    """The columns that a panel's chart is drawn of."""
    chart = panel.get("chartSettings", {})
    return [*chart.get("yAxis", []), *(chart[name] for name in ["xAxis", "group"] if name in chart)]


class Form(unittest.TestCase):
    def test_it_is_a_workbook_of_the_gallery(self):
        self.assertEqual(WORKBOOK["version"], "Notebook/1.0")
        self.assertEqual(WORKBOOK["fromTemplateId"], "sentinel-ProofpointEmailSecurity")
        self.assertEqual(WORKBOOK["fallbackResourceIds"], [])

    def test_items_have_names_and_ids_of_their_own(self):
        names = [item["name"] for item in workbook.items()]
        self.assertEqual(len(names), len(set(names)))
        ids = [made["id"] for made in workbook.parameters().values()]
        ids += [link["id"] for item in workbook.of_type(workbook.LINKS) for link in item["content"]["links"]]
        self.assertEqual(len(ids), len(set(map(uuid.UUID, ids))))

    def test_each_tab_shows_one_group(self):
        [tabs] = workbook.of_type(workbook.LINKS)
        links = {link["subTarget"] for link in tabs["content"]["links"]}
        self.assertEqual({link["cellValue"] for link in tabs["content"]["links"]}, {"selectedTab"})
        shown = [item["conditionalVisibility"] for item in workbook.of_type(workbook.GROUP)]
        self.assertEqual({visible["parameterName"] for visible in shown}, {"selectedTab"})
        values = [visible["value"] for visible in shown]
        self.assertEqual(len(values), len(set(values)))
        self.assertLessEqual(links, set(values))
        # A group that no tab shows is a place for what is to come.
        empty = {item["conditionalVisibility"]["value"] for item in workbook.of_type(workbook.GROUP) if not item["content"]["items"]}
        self.assertEqual(set(values) - links, empty)

    def test_every_panel_is_in_a_tab_and_asks_for_the_time_range_and_the_cluster(self):
        outside = [item["name"] for item in WORKBOOK["items"] if item["type"] == workbook.QUERY]
        self.assertEqual(outside, [])
        for name, panel in PANELS.items():
            self.assertRegex(panel["query"], r"\{TimeRange(:start)?\}", name)
            self.assertIn("{Cluster}", panel["query"], name)

    def test_panels_name_only_parameters_that_there_are(self):
        known = set(workbook.parameters()) | set(workbook.exported())
        queries = {name: panel["query"] for name, panel in PANELS.items()}
        queries |= {name: made["query"] for name, made in workbook.parameters().items() if "query" in made}
        for name, query in queries.items():
            self.assertLessEqual({found[1] for found in workbook.REFERENCE.finditer(query)}, known, name)

    def test_a_term_means_the_same_in_every_panel(self):
        defined = {}
        for name, panel in PANELS.items():
            for column, meaning in re.findall(r"\b(Cluster|MessageKey|Outcome|Direction|Tls) = (.*?)(?=\n *\||;|$)", panel["query"], re.DOTALL):
                self.assertEqual(defined.setdefault(column, meaning), meaning, f"{column} in {name}")


class Language(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A workspace in which every connector has been at work."""
        cls.tables = {name: columns | {"_BilledSize": "real"} for name, (columns, _) in tables().items()}
        for kind in ["message", "maillog"]:
            cls.tables[f"{kind}_CL"] = cls.tables[f"ProofpointPOD_{kind}_CL"]
        cls.fillings = [
            times | untouched() | {"Cluster": cluster}
            for times in [ABSOLUTE, RELATIVE]
            for cluster in CLUSTERS.values()
        ]
        cls.fillings += [cls.fillings[0] | typed for typed in ODD]

    def check(self, queries):
        return check(self.tables, {"ProofpointPOD": PARSER}, queries)

    def test_no_query_has_a_fault_whatever_its_parameters(self):
        queries = {name: panel["query"] for name, panel in PANELS.items()}
        queries |= {name: made["query"] for name, made in workbook.parameters().items() if "query" in made}
        filled = sorted({(name, fill(query, values)) for name, query in queries.items() for values in self.fillings})
        for (name, query), checked in zip(filled, self.check([query for _, query in filled]), strict=True):
            self.assertEqual(checked["diagnostics"], [], f"{name}\n{query}")
            self.assertFalse(checked["open"], name)

    def test_settings_name_columns_that_the_query_gives(self):
        answers = self.check([fill(panel["query"], self.fillings[0]) for panel in PANELS.values()])
        for (name, panel), answer in zip(PANELS.items(), answers, strict=True):
            columns = list(answer["columns"])
            for pattern in in_columns(panel):
                self.assertTrue(any(re.search(pattern, column) for column in columns), f"{pattern} in {name}")
            self.assertLessEqual(set(drawn(panel)), set(columns), name)


class Panels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.events = {"message": traffic.messages(), "maillog": traffic.maillog(), "audit": traffic.audit()}
        cls.tables = traffic.tables(cls.events)
        cls.workspace = Workspace(cls.tables)

    def shown(self, panel, **values):
        query = fill(PANELS[panel]["query"], ABSOLUTE | untouched() | {"Cluster": "'*'"} | values)
        return self.workspace.query(runnable(query.replace("now()", ABSOLUTE["TimeRange:end"])))

    def chosen(self, kind, start=START, cluster="'*'"):
        """The events from a time on to the end of the time range, of some clusters."""
        in_time = [event for event in self.events[kind] if start <= traffic.at(event) <= END]
        return [event for event in in_time if cluster == "'*'" or f"'{panels.cluster(event)}'" in cluster]

    def check(self, panel, shown, expected):
        """The rows are those expected, or as many of the largest of them as the panel shows."""
        limit, column = panels.LARGEST.get(panel, (len(expected), None))
        if len(expected) <= limit:
            self.assertCountEqual(map(panels.plain, shown), map(panels.plain, expected))
            return
        self.assertLessEqual(set(map(panels.plain, shown)), set(map(panels.plain, expected)))
        largest = sorted((row[column] for row in expected), reverse=True)[:limit]
        self.assertEqual([row[column] for row in shown], largest)

    def test_panels_show_the_events_of_the_time_range_and_the_clusters(self):
        for filling, cluster in CLUSTERS.items():
            for kind, of_kind in panels.SHOWN.items():
                chosen = self.chosen(kind, cluster=cluster)
                self.assertLess(len(chosen), len(self.events[kind]))
                for panel, expected in of_kind.items():
                    with self.subTest(panel=panel, filling=filling):
                        self.assertTrue(expected(chosen) or cluster != "'*'")
                        self.check(panel, self.shown(panel, Cluster=cluster), expected(chosen))

    def test_filters_choose_messages(self):
        values = {"Sender": "SENDER1", "Recipient": "two@acme", "Subject": "%", "Direction": "inbound"}
        fillings = [{}, values, {"Direction": "unknown"}]
        fillings += [{name: value} for filled in [values, *ODD] for name, value in filled.items() if name in values]
        for filling in fillings:
            with self.subTest(filling=filling):
                passed = [message for message in self.chosen("message") if panels.passes(message, filling)]
                expected = panels.messages(Tile=lambda message: ["all", panels.outcome(message)])
                self.check("messages-outcome", self.shown("messages-outcome", **filling), expected(passed))
                held = panels.only(panels.outcome, "held in quarantine")(passed)
                expected = panels.messages(EventOriginalTime=panels.hour, Outcome=panels.outcome)
                filling |= {"Outcome": "held in quarantine"}
                self.check("messages-time", self.shown("messages-time", **filling), expected(held))
                shown = [row for row in self.shown("messages-list", **filling) if row.pop("MessageKey")]
                self.check("messages-list", shown, list(map(panels.listed, held)))

    def test_a_click_on_a_message_shows_its_lines_in_the_mail_log(self):
        for message in self.chosen("message"):
            number = int(message["filter"]["qid"][1:])
            if number not in (30, 41, 44):
                continue
            [row] = [row for row in self.shown("messages-list") if row["QueueId"] == message["filter"]["qid"] and row["EventOriginalTime"] == times.read(message["ts"])]
            steps = [(step["Step"], step["Line"]) for step in self.shown("messages-trace", SelectedMessage=row["MessageKey"])]
            lines = [("received", f"received {number}"), ("received", f"again {number}"), ("delivery", f"delivery {number}")]
            filtered = [("filtered", "")] * (2 if number == 30 else 1)
            self.assertCountEqual(steps, filtered + lines)
        self.assertEqual(self.shown("messages-trace"), [])

    def test_quarantine_is_compared_with_the_time_before(self):
        start = START + datetime.timedelta(hours=traffic.HOURS / 2)
        before = panels.quarantined(self.chosen("message"))
        now = [message for message in before if traffic.at(message) >= start]
        before = [message for message in before if traffic.at(message) < start]
        counts = [
            {row["Quarantine"]: row["Messages"] for row in panels.messages(Quarantine=panels.quarantine)(found)}
            for found in (now, before)
        ]
        shown = self.shown("quarantine-change", **{"TimeRange:start": f"datetime({start.isoformat()})"})
        self.assertGreater(len(shown), 2)
        self.assertEqual({row["Quarantine"]: row["Messages"] for row in shown if row["Messages"]}, counts[0])
        self.assertEqual({row["Quarantine"]: row["MessagesBefore"] for row in shown if row["MessagesBefore"]}, counts[1])
        for row in shown:
            was = row["MessagesBefore"]
            change = round(100 * (row["Messages"] - was) / was, 1) if was else None
            self.assertEqual(row["ChangePercent"], change)

    def test_every_panel_answers_in_an_empty_workspace(self):
        empty = Workspace({})
        for name, panel in PANELS.items():
            with self.subTest(panel=name):
                empty.query(runnable(fill(panel["query"], RELATIVE | untouched() | {"Cluster": "'*'"})))


if __name__ == "__main__":
    unittest.main()
