"""The parameters of the parser select rows of every table that it reads."""

import datetime
import json
import unittest

import parser_calls
import times
from kql import INGESTED, Workspace
from test_parser import tables

# The columns with the id of an event, by any connector.
IDS = ["guid", "id", "guid_s", "guid_g", "id_s", "id_g"]


def key(row):
    return row["EventType"], row["EventOriginalUid"], str(row["EventOriginalTime"])


def id_of(row):
    return next((row[name] for name in IDS if row.get(name)), "")


class Parameters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = Workspace(tables())
        cls.all = cls.workspace.query("ProofpointPOD")
        cls.number = 100

    def selected(self, **values):
        """What the parser returns with these arguments."""
        type(self).number += 1
        self.workspace._calls.run(self.number, values)
        stored = f"{parser_calls.TABLE} | where {parser_calls.NUMBER} == {self.number}"
        return self.workspace.query(stored)

    def test_the_events_time_is_within_both_bounds(self):
        start, end = "2026-11-20T10:00:00Z", "2026-11-20T17:00:00.000001Z"
        found = self.selected(starttime=times.read(start), endtime=times.read(end))

        def is_within(row):
            at = row["EventOriginalTime"]
            return at is None or times.read(start) <= at <= times.read(end)

        self.assertCountEqual(map(key, found), map(key, filter(is_within, self.all)))
        self.assertTrue(0 < len(found) < len(self.all))

    def test_rows_arrived_after_the_first_time_and_up_to_the_second(self):
        arrivals = sorted(
            times.read(row[INGESTED])
            for _, rows in self.workspace.tables.values()
            for row in rows
            if id_of(row)
        )
        after, by = arrivals[len(arrivals) // 4], arrivals[len(arrivals) // 2]
        found = self.selected(arrivedafter=after, arrivedby=by)
        expected = {
            id_of(row)
            for _, rows in self.workspace.tables.values()
            for row in rows
            if after < times.read(row[INGESTED]) <= by
        }
        self.assertEqual({row["EventOriginalUid"] for row in found} - {""}, expected - {""})
        self.assertTrue(expected)
        self.assertTrue(all(after < row["IngestionTime"] <= by for row in found))

    def test_ids_select_events_of_every_type_and_connector(self):
        ids = sorted({row["EventOriginalUid"] for row in self.all if row["EventOriginalUid"]})[::3]
        found = self.selected(ids=ids)
        expected = [row for row in self.all if row["EventOriginalUid"] in ids]
        self.assertCountEqual(map(key, found), map(key, expected))
        self.assertEqual({row["EventType"] for row in found}, {"message", "maillog", "audit"})

    def test_words_select_what_they_are_in(self):
        for word, columns in {
            "sender@partner.example": ["Sender"],
            "one@acme.example": ["Recipients"],
            "urls@partner.example": ["EventUid"],
        }.items():
            found = {key(row) for row in self.selected(words=["no.such.word", word.upper()])}
            meant = {
                key(row)
                for row in self.all
                if any(word in json.dumps(row[name]).lower() for name in columns)
            }
            self.assertTrue(meant, word)
            self.assertLessEqual(meant, found, word)
            # The word stands somewhere in each of them.
            rest = [row for row in self.all if key(row) in found]
            self.assertTrue(all(word in json.dumps(row, default=str).lower() for row in rest), word)

    def test_the_disposition_selects_messages_only(self):
        found = self.selected(disposition="continue")
        expected = [
            row
            for row in self.all
            if row["EventType"] != "message" or row["FilterDisposition"] == "continue"
        ]
        self.assertCountEqual(map(key, found), map(key, expected))
        self.assertLess(len(found), len(self.all))

    def test_nothing_has_one_of_no_ids_or_words(self):
        self.assertEqual(self.selected(ids=[]), [])
        self.assertEqual(self.selected(words=[]), [])

    def test_a_caller_may_leave_out_every_parameter(self):
        now = datetime.datetime(2100, 1, 1)
        everything = self.workspace.query("ProofpointPOD(arrivedby=datetime(2100-01-01))")
        self.assertCountEqual(map(key, everything), map(key, self.selected(arrivedby=now)))
        self.assertCountEqual(map(key, everything), map(key, self.all))


if __name__ == "__main__":
    unittest.main()
