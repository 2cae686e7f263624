"""Each analytic rule reads what has arrived since its last run, and looks back only for what it found."""

import re
import unittest

import parser_calls
from rules import RULES
from test_rule_form import each_of, minutes

# Rules that read the tables without the parser.
WITHOUT_PARSER = {"ConnectorSilent", "PartnerTlsDowngrade"}

# What bounds a call of the parser to few rows, whatever the time.
SELECTIVE = {"ids", "words", "disposition"}


def calls(query):
    """The arguments of each call of the parser."""
    found = parser_calls.CALL.finditer(query)
    return [parser_calls.arguments(query, each.end() - 1)[0] if each[1] else {} for each in found]


# Rules over TAP read functions of their own.
of_each_rule = each_of(RULES)


class Reads(unittest.TestCase):
    @of_each_rule
    def test_a_run_checks_what_arrived_since_the_last_run(self, name, rule):
        if name in WITHOUT_PARSER:
            self.assertEqual(calls(rule["query"]), [])
            return
        # Sentinel runs a rule minutes late, with now() as the time it was due. Events that arrive in
        # between belong to the next run.
        now = {
            "starttime": "ago(8d)",
            "arrivedafter": f"ago({rule['queryFrequency']})",
            "arrivedby": "now()",
        }
        first = [call for call in calls(rule["query"]) if "arrivedafter" in call]
        self.assertEqual(first, [now])
        self.assertIn('CollectedBy != "backfill"', rule["query"])

    @of_each_rule
    def test_a_run_looks_back_only_for_what_it_found(self, name, rule):
        back = [call for call in calls(rule["query"]) if "arrivedafter" not in call]
        for call in back:
            self.assertTrue(SELECTIVE & set(call), call)
            self.assertIn(call.get("arrivedby"), [None, f"ago({rule['queryFrequency']})"])
        if name not in WITHOUT_PARSER:
            # Otherwise an event that arrives twice would raise two alerts.
            self.assertTrue(any({"ids", "words"} & set(call) for call in back))

    @of_each_rule
    def test_sentinel_shows_every_row_that_has_just_arrived(self, name, rule):
        frequency, period = minutes(rule["queryFrequency"]), minutes(rule["queryPeriod"])
        if name == "ConnectorSilent":
            return
        # The time of a row is at most 46 hours before it is received, and the row can wait for its run.
        # An hour less a run is left for the way into the workspace.
        self.assertGreaterEqual(period - frequency, minutes("46h") + 30)
        # From two days on, Sentinel requires a frequency of an hour or more.
        if period >= minutes("2d"):
            self.assertGreaterEqual(frequency, minutes("1h"))

    @of_each_rule
    def test_no_rule_reads_further_than_its_period(self, name, rule):
        back = re.findall(r"(?:starttime ?= ?|TimeGenerated > )ago\((\w+)\)", rule["query"])
        period = minutes(rule["queryPeriod"])
        # Events of a week ago that arrive now have a new TimeGenerated.
        self.assertTrue(all(minutes(each) <= period for each in back if each != "8d"))

    def test_one_rule_has_no_more_than_a_case_of_a_long_baseline(self):
        disposition = [
            name
            for name, rule in RULES.items()
            if any("disposition" in call for call in calls(rule["query"]))
        ]
        self.assertEqual(disposition, ["MaliciousMessageReleased"])


if __name__ == "__main__":
    unittest.main()
