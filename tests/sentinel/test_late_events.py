"""Sequences of runs: an event raises a rule once, whenever it arrives and however often."""

import collections
import datetime
import json
import re
import unittest

import rule_cases
import threat_indicators
import times
import watchlists
from kql import INGESTED
from rule_events import NOW, ago, inbound, stored
from rules import QUERIES, RULES
from simulated_runs import SimulatedWorkspace, span, time_generated

# The time at which the runs of all rules are due, and others are before and after.
DUE = NOW.replace(tzinfo=None) - datetime.timedelta(days=3)

SECOND = datetime.timedelta(seconds=1)
# From the event to its arrival. Outages of the connector or of Proofpoint end then.
LATE = ["2m", "5h", "30h", "45h", "46h", "47h", "48h", "3d", "7d"]
# From the time a run was due to an arrival; runs are executed minutes later.
MOMENTS = {
    "just in time": -span("1m"),
    "when due": 0 * SECOND,
    "a second later": SECOND,
    "before it is executed": span("4m"),
}
# From the first arrival of an event to the second, through another connector or after a crash.
AGAIN = ["5m", "6h"]

# This rule reads no events.
RULED = sorted(set(RULES) - {"ConnectorSilent"})


def scenarios():
    """Names of scenarios, each with the lateness and the arrivals of its events."""
    early = DUE - span("1m")
    made = {f"late by {late}": (span(late), [early]) for late in LATE}
    made |= {f"arrives {name}": (span("2m"), [DUE + at]) for name, at in MOMENTS.items()}
    made |= {f"again after {again}": (span("2m"), [early, early + span(again)]) for again in AGAIN}
    # The copy of an event that an outage made late.
    return made | {"late twice": (span("30h"), [early, early + span("6h")])}


SCENARIOS = scenarios()


def shifted(occurrence, late, arrived):
    """An event of a case, with all of its times moved so that the new ones arrive then."""
    by = arrived - late - times.read(ago(minutes=2))
    event = occurrence["event"] | {
        "ts": f"{(times.read(occurrence['event']['ts']) + by).isoformat()}Z"
    }
    is_new = occurrence["ingested"] == ago()
    ingested = arrived if is_new else times.read(occurrence["ingested"]) + by
    return occurrence | {"event": event, "ingested": f"{ingested.isoformat()}Z"}


def address(rule, number):
    return f"late{number}@{rule.lower()}.example"


def addressed():
    """The events of each scenario of each rule, with their addresses. New events of a second arrival are
    copies."""
    made = []
    for rule in RULED:
        case = rule_cases.CASES[rule][0][0]
        for number, (late, arrivals) in enumerate(SCENARIOS.values()):
            made += [(shifted(each, late, arrivals[0]), address(rule, number)) for each in case]
    # A workspace whose data is old enough for a baseline.
    old = {"sent": ago(days=13), "ingested": ago(days=13)}
    return [*made, (inbound(**old), "old@workspace.example")]


def with_copies(tables, of_rows):
    """The tables, with the rows that arrive a second time, and all with the times that Azure gives."""
    for name, (columns, rows) in tables.items():
        again = [
            row | {INGESTED: f"{second.isoformat()}Z"} for row in rows for second in of_rows(row)
        ]
        for row in [*rows, *again]:
            at, arrived = times.read(times.in_utc(row["TimeGenerated"])), times.read(row[INGESTED])
            seen = time_generated(at, arrived - SECOND, arrived)
            row["TimeGenerated"] = f"{seen.isoformat()}Z"
        yield name, (columns, rows + again)


def second_arrivals(row):
    """When a row of a new event arrives again."""
    text = json.dumps(row).lower()
    found = re.search(r"late(\d+)@(\w+)\.example", text)
    if not found:
        return []
    _, arrivals = list(SCENARIOS.values())[int(found[1])]
    is_new = times.read(row[INGESTED]) == arrivals[0]
    return arrivals[1:] if is_new else []


def due_times(frequency):
    """The runs that have something to check."""
    arrivals = {each for _, arrivals in SCENARIOS.values() for each in arrivals}
    runs = {-(-(each - DUE) // frequency) for each in arrivals}
    return [DUE + number * frequency for number in sorted({*runs, *(run + 1 for run in runs)})]


def workspace():
    events = addressed()
    tables = dict(with_copies(stored("columns", events), second_arrivals))
    listed = threat_indicators.table(events)
    return SimulatedWorkspace(tables | {"ThreatIntelIndicators": listed} | watchlists.tables())


class LateEvents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alerts = collections.Counter()
        simulated = workspace()
        schedules = collections.defaultdict(dict)
        for name in RULED:
            rule = RULES[name]
            schedules[rule["queryFrequency"], rule["queryPeriod"]][name] = QUERIES[name]
        for (frequency, period), rules in schedules.items():
            for due in due_times(span(frequency)):
                for name, rows in simulated.run(rules, due, span(period)).items():
                    cls._count(name, rows)

    @classmethod
    def _count(cls, name, rows):
        for row in rows:
            text = json.dumps(row, default=str).lower()
            found = set(re.findall(rf"late(\d+)@{name.lower()}\.example", text))
            cls.alerts.update((name, int(number)) for number in found)

    def test_each_event_raises_its_rule_once(self):
        for name in RULED:
            for number, scenario in enumerate(SCENARIOS):
                with self.subTest(rule=name, scenario=scenario):
                    self.assertEqual(self.alerts[name, number], 1)


if __name__ == "__main__":
    unittest.main()
