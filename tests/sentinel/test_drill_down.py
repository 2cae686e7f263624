"""A click on a tile or on a row of a table lists the messages that it counts."""

import itertools
import unittest

import panels
import traffic
from kql import Workspace
from workbook import ABSOLUTE, PANELS, fill, runnable, untouched

# The tabs with lists, and the columns that count a row's messages.
TABS = ["overview", "tls", "quarantine"]
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
        if name.startswith(f"{tab}-") and panel.get("exportDefaultValue") == "all"
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
            if PANELS[name]["visualization"] in ("tiles", "table") and name.split("-")[0] in TABS
        }
        self.assertEqual(counting, {name for tab in TABS for name in exporting(tab)})

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
            first, second = exporting(tab)[:2]
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
