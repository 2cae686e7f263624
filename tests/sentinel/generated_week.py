"""A week of simulated mail, which is the same each time."""

import datetime
import functools

import events
import tap
from kql import Workspace
from test_parser import NAMES, TABLES

DAY = datetime.timedelta(days=1)
DAYS = 7
# The week's first hour. The same hours have the same mail.
FIRST = datetime.datetime(2026, 11, 20)
END = FIRST + DAYS * DAY
# Messages in the busiest hour. What the rules cost, in multiples of a day's rows, hardly depends on it.
RATE = 30


def _rows(kind):
    return events.simulated(kind, f"{FIRST.isoformat()}Z", 24 * DAYS, RATE)


@functools.cache
def workspace():
    """The events of the week, each of which arrived when it happened."""
    tables = {}
    for kind, name in NAMES.items():
        rows = _rows(kind)
        for row in rows:
            row["TimeGenerated"] = row["eventTime"]
        tables[name] = (TABLES[name], rows)
    return Workspace(tables, now=END)


def rows_of_a_day():
    """How many events a day has."""
    return sum(len(rows) for _, rows in workspace().tables.values()) / DAYS


def records_of_a_day():
    """How many records of Targeted Attack Protection a day has."""
    return sum(len(_rows(kind)) for kind in tap.KINDS) / DAYS
