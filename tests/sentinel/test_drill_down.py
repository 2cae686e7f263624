"""A click on a tile or on a row of a table, or a part of a chart, lists the messages or the lines of the mail
log that it counts."""

import itertools
import unittest

import panels
import traffic
from kql import Workspace
from workbook import ABSOLUTE, PANELS, fill, runnable, untouched

# The tabs with lists, and the columns that count a row's messages.
TABS = ["overview", "tls", "quarantine", "reports"]
COUNTS = {
    "tls-in-direction": ["WithTls", "WithoutTls", "NotStated"],
    "quarantine-folders": ["Held", "Copies", "Others"],
    "quarantine-recipients": ["Stopped"],
    "quarantine-senders": ["Stopped"],
}


def exporting(tab):
    """The panels of a tab that a click selects messages with."""
    return [
        name
        for name, panel in PANELS.items()
        if name.startswith(f"{tab}-")
        and panel.get("exportDefaultValue") == "all"
        and name not in panels.SHOWN["maillog"]
    ]


def charts(tab):
    return [
        name
        for name, panel in PANELS.items()
        if name.startswith(f"{tab}-") and "chartSettings" in panel
    ]


def counted(panel, row):
    """What a panel counts once. This panel counts a message under each outcome that was reported."""
    by_outcome = panel == "quarantine-folders"
    return (row["MessageKey"], row["Outcome"]) if by_outcome else row["MessageKey"]


class DrillDown(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = traffic.messages()
        cls.workspace = Workspace(
            traffic.tables({"message": cls.messages, "maillog": traffic.maillog()})
        )

    def shown(self, panel, **values):
        query = fill(PANELS[panel]["query"], ABSOLUTE | untouched() | {"Cluster": "'*'"} | values)
        return self.workspace.query(runnable(query))

    def clicked(self, panel, row):
        settings = PANELS[panel]
        return {settings["exportParameterName"]: row[settings["exportFieldName"]]}

    def listed(self, tab, **values):
        return {row["MessageKey"] for row in self.shown(f"{tab}-list", **values)}

    def test_every_table_and_tile_of_messages_leads_to_a_list(self):
        counting = {
            name
            for name in panels.SHOWN["message"]
            if PANELS[name]["visualization"] in ("tiles", "table")
        }
        self.assertEqual(counting, {name for tab in TABS for name in exporting(tab)})

    def test_every_chart_over_time_leads_to_a_list(self):
        for tab in [*TABS, "messages", "audit"]:
            self.assertTrue(charts(tab))
            for name in charts(tab):
                brush = PANELS[name]["timeBrushParameterName"]
                self.assertEqual(PANELS[name]["chartSettings"]["xAxis"], "EventOriginalTime")
                self.assertIn(f'"{{{brush}:start}}"', PANELS[f"{tab}-list"]["query"], name)

    def test_a_part_of_a_chart_lists_its_messages(self):
        for tab in [*TABS, "messages"]:
            name = charts(tab)[0]
            brush = PANELS[name]["timeBrushParameterName"]
            hours = sorted({row["EventOriginalTime"] for row in self.shown(name)})
            chosen = {f"{brush}:start": hours[1], f"{brush}:end": hours[2]}
            limits = {form: f"datetime({at.isoformat()}Z)" for form, at in chosen.items()}
            every = self.shown(f"{tab}-list")
            within = {
                (row["MessageKey"], row["EventOriginalTime"])
                for row in every
                if hours[1] <= row["EventOriginalTime"] <= hours[2]
            }
            found = self.shown(f"{tab}-list", **limits)
            self.assertEqual(
                {(row["MessageKey"], row["EventOriginalTime"]) for row in found}, within
            )
            self.assertTrue(0 < len(found) < len(every), tab)

    def test_a_click_on_attempts_lists_their_lines(self):
        for panel in ["tls-out", "tls-out-domains", "reports-failures", "reports-transport"]:
            tab = panel.split("-")[0]
            rows = self.shown(panel)
            for row in rows[:3]:
                with self.subTest(panel=panel, row=row):
                    found = self.shown(f"{tab}-lines", **self.clicked(panel, row))
                    self.assertTrue(found)
                    # A line can have several recipients of a domain.
                    if "Deliveries" in row:
                        self.assertLessEqual(len(found), row["Deliveries"])
                    else:
                        self.assertEqual(len(found), row["Attempts"])

    def test_a_click_on_a_line_shows_its_messages_trace(self):
        for tab in ["tls", "reports"]:
            lines = {row["QueueId"]: row for row in self.shown(f"{tab}-lines")}
            selected = self.clicked(f"{tab}-lines", lines["R31"])
            steps = self.shown(f"{tab}-trace", **selected)
            self.assertEqual(
                [step["Line"] for step in steps],
                ["", "received 31", "again 31", "delivery 31"],
            )

    def test_a_click_lists_as_many_messages_as_are_counted(self):
        for tab in TABS:
            for panel in exporting(tab):
                rows = self.shown(panel)[:2]
                self.assertGreater(len(rows), 1, panel)
                for row in rows:
                    with self.subTest(panel=panel, row=row):
                        count = sum(row[name] for name in COUNTS.get(panel, ["Messages"]))
                        found = self.shown(f"{tab}-list", **self.clicked(panel, row))
                        self.assertEqual(len({counted(panel, each) for each in found}), count)

    def test_the_list_shows_what_matches_all_selections(self):
        for tab in TABS:
            # Two tables can share a parameter; a click on one then replaces that on the other.
            by_parameter = {PANELS[name]["exportParameterName"]: name for name in exporting(tab)}
            first, second = list(by_parameter.values())[:2]
            by_one, by_other = (
                [self.clicked(panel, row) for row in self.shown(panel)[:2]]
                for panel in (first, second)
            )
            alone = {
                tuple(chosen.items()): self.listed(tab, **chosen) for chosen in by_one + by_other
            }
            matched = set()
            for one, other in itertools.product(by_one, by_other):
                both = self.listed(tab, **one, **other)
                expected = alone[tuple(one.items())] & alone[tuple(other.items())]
                self.assertEqual(both, expected, tab)
                matched |= both
            self.assertTrue(matched, tab)

    def test_a_click_on_a_listed_message_shows_its_trace(self):
        for tab in TABS:
            self.assertEqual(self.shown(f"{tab}-trace"), [])
            for row in self.shown(f"{tab}-list")[:1]:
                selected = self.clicked(f"{tab}-list", row)
                steps = self.shown(f"{tab}-trace", **selected)
                self.assertIn("filtered", [step["Step"] for step in steps])
                expected = self.shown("messages-trace", SelectedMessage=row["MessageKey"])
                self.assertEqual(steps, expected)

    def test_text_of_senders_does_not_get_into_a_query(self):
        # Envelope addresses, domains and rules' names can hold quotes and backticks.
        free = {"Sender", "Recipient", "SenderDomain", "Rule", "Folder", "Cipher"}
        exported = {PANELS[panel]["exportFieldName"] for tab in TABS for panel in exporting(tab)}
        self.assertFalse(free & exported)


if __name__ == "__main__":
    unittest.main()
