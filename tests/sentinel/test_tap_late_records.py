"""Sequences of runs: a record of Targeted Attack Protection raises a rule once, whenever it arrives and
however often."""

import collections
import datetime
import json
import re
import unittest

import rule_events
import tap_records
import tap_rule_cases
import times
from kql import INGESTED
from rules import TAP_RULES
from simulated_runs import SimulatedTapWorkspace, span, time_generated
from test_parser import NAMES, TABLES

# The time at which the runs of all rules are due, and others are before and after.
DUE = datetime.datetime(2026, 11, 24, 12)
MINUTE, SECOND = span("1m"), datetime.timedelta(seconds=1)

# From the record to its arrival. Proofpoint gives records half an hour late; outages end after days.
LATE = ["2m", "31m", "5h", "45h", "46h", "3d", "6d"]
# From the time a run was due to an arrival; runs are executed minutes later.
MOMENTS = {"when due": 0 * SECOND, "a second later": SECOND, "before it is executed": 4 * MINUTE}
# From the first arrival of a record to the second: it is read again, or another connector brings it.
AGAIN = ["5m", "6h"]

# Members of a record with an id.
OWN = ["id", "threatID", "campaignID", "campaignId"]

# This rule reads no news.
RULED = sorted(set(TAP_RULES) - {"TapSilent"})

# What arrives at last in a case arrived then.
LAST = tap_records.ago(seconds=1)


def scenarios():
    """Names of scenarios, each with the lateness and the arrivals of its records."""
    early = DUE - MINUTE
    made = {f"late by {late}": (span(late), [early]) for late in LATE}
    made |= {f"arrives {name}": (span("2m"), [DUE + at]) for name, at in MOMENTS.items()}
    made |= {f"again after {again}": (span("2m"), [early, early + span(again)]) for again in AGAIN}
    return made | {"late twice": (span("30h"), [early, early + span("6h")])}


SCENARIOS = scenarios()


def moved(value, by):
    """A value with all its times moved."""
    match value:
        case dict():
            return {name: moved(each, by) for name, each in value.items()}
        case list():
            return [moved(each, by) for each in value]
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", value):
            return f"{(times.read(value) + by).isoformat()}.000Z"
    return value


def apart(value, mark):
    """A record with ids of its own: those of cases are the same in all scenarios."""
    match value:
        case dict():
            return {
                name: f"{each}-{mark}" if each and name in OWN else apart(each, mark)
                for name, each in value.items()
            }
        case list():
            return [apart(each, mark) for each in value]
    return value


def shifted(occurrence, late, arrivals):
    """A record of a case, as it arrives in a scenario, once or more often."""
    of_news = times.read(LAST) - times.read(tap_records.ago(minutes=4))
    by = arrivals[0] - times.read(LAST)
    # What is late happened earlier by so much.
    earlier = min(datetime.timedelta(), of_news - late)
    is_news = occurrence["arrived"] == LAST
    first = arrivals[0] if is_news else times.read(occurrence["arrived"]) + by + earlier
    made = occurrence | {"record": moved(occurrence["record"], by + earlier)}
    for arrived in [first, *(arrivals[1:] if is_news else [])]:
        yield made | {"arrived": f"{arrived.isoformat()}Z"}


def occurrences():
    for rule in RULED:
        case = tap_rule_cases.CASES[rule][0][0]
        for number, (late, arrivals) in enumerate(SCENARIOS.values()):
            for each in case:
                for arrived in shifted(each, late, arrivals):
                    own = arrived | {"record": apart(arrived["record"], f"{rule}-{number}")}
                    yield tap_rule_cases.addressed(own, f"late{number}@{rule.lower()}.example")


def tables():
    """The tables, with the times that Azure gives to rows."""
    made = list(occurrences())
    of_gateway = [each for each in made if not each["array"]]
    texts = [json.dumps(each["record"]) for each in of_gateway]
    rows = rule_events.events.rows("message", "columns", texts)
    arrived = [
        row | {INGESTED: each["arrived"]} for row, each in zip(rows, of_gateway, strict=True)
    ]
    stored = tap_records.stored("columns", made) | {
        NAMES["message"]: (TABLES[NAMES["message"]], arrived)
    }
    for _, of_table in stored.values():
        for row in of_table:
            at, ingested = times.read(times.in_utc(row["TimeGenerated"])), times.read(row[INGESTED])
            row["TimeGenerated"] = f"{time_generated(at, ingested - SECOND, ingested).isoformat()}Z"
    return stored


def due_times(frequency):
    """The runs that have something to check."""
    arrivals = {each for _, arrivals in SCENARIOS.values() for each in arrivals}
    runs = {-(-(each - DUE) // frequency) for each in arrivals}
    return [DUE + number * frequency for number in sorted({*runs, *(run + 1 for run in runs)})]


class LateRecords(unittest.TestCase):
    def test_each_record_raises_its_rule_once(self):
        simulated, alerts = SimulatedTapWorkspace(tables()), collections.Counter()
        schedules = collections.defaultdict(dict)
        for name in RULED:
            rule = TAP_RULES[name]
            schedules[rule["queryFrequency"], rule["queryPeriod"]][name] = rule["query"]
        for (frequency, period), rules in schedules.items():
            for due in due_times(span(frequency)):
                for name, rows in simulated.run(rules, due, span(period)).items():
                    text = json.dumps(rows, default=str).lower()
                    found = set(re.findall(rf"late(\d+)@{name.lower()}\.example", text))
                    alerts.update((name, int(number)) for number in found)
        for name in RULED:
            for number, scenario in enumerate(SCENARIOS):
                with self.subTest(rule=name, scenario=scenario):
                    self.assertEqual(alerts[name, number], 1)


if __name__ == "__main__":
    unittest.main()
