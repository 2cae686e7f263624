"""What the rules over Targeted Attack Protection cost and raise in an ordinary week."""

import re

import tap_week
from generated_week import DAY, END, records_of_a_day, rows_of_a_day
from rules import TAP_RULES
from simulated_runs import span
from tap_week import DAYS

CALL = re.compile(r"\bProofpointTAP(?:Event|Threats)\(([^)]*\))[^)]*\)")


def days_read(rule, call):
    """The days of records that a call of a rule reads in all runs of a day, at most."""
    if "arrivedafter" in call or "guids" in call:
        # Each record arrives in one run, which then looks for its earlier rows. So does one that looks for
        # the records of messages that have news.
        return 2
    back = span(re.search(r"starttime=ago\((\w+)\)", call)[1])
    return (DAY / span(rule["queryFrequency"])) * (back / DAY)


def costs():
    """The cost of each rule, in multiples of the rows of a day of mail."""
    records, rows = records_of_a_day(), rows_of_a_day()

    def of(rule):
        calls = [found[0] for found in CALL.finditer(rule["query"])]
        if not calls:
            # It counts the rows of its whole period.
            runs = DAY / span(rule["queryFrequency"])
            return runs * (span(rule["queryPeriod"]) / DAY) * records / rows
        return sum(days_read(rule, call) for call in calls) * records / rows

    return {name: of(rule) for name, rule in TAP_RULES.items()}


def alerts():
    """The alerts of each rule on a day: what one run over the week raises."""
    workspace, found = tap_week.workspace(END), {}
    for name, rule in TAP_RULES.items():
        query = rule["query"].replace(
            f"arrivedafter=ago({rule['queryFrequency']})", f"arrivedafter=ago({DAYS}d)"
        )
        found[name] = len(workspace.query(query)) / DAYS
    return found
