"""Sentinel runs a rule: what it shows the rule, and when."""

import datetime
import random

from kql import INGESTED, Workspace
from tap import TapWorkspace

# A run is executed this long after it was due, and a bit later or earlier.
DELAY = datetime.timedelta(minutes=5)
JITTER = 120


def time_generated(at, received, arrived):
    """The time of a row, by docs/rows.md and by Azure's documentation."""
    by_connector = received if received - at > datetime.timedelta(hours=46) else at
    return arrived if arrived - by_connector > datetime.timedelta(days=2) else by_connector


def span(text):
    """A duration such as `10m`."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    return datetime.timedelta(**{units[text[-1]]: int(text[:-1])})


class SimulatedRuns:
    """A workspace that shows the rows of one run of a rule at a time: to be mixed into one."""

    def begin(self, prefix, seed=1):
        """All rows of tables whose names begin like this are kept, to be shown when they have arrived."""
        self._random = random.Random(seed)
        self._kept = [name for name in self.tables if name.startswith(prefix)]
        for name in self._kept:
            self._connection.execute(f'CREATE TABLE "all {name}" AS SELECT * FROM "{name}"')

    def run(self, rules, due, period):
        """The alerts that rules of this period raise in the run that was due then."""
        executed = due + DELAY + datetime.timedelta(seconds=self._random.randint(-JITTER, JITTER))
        self._show(
            f"{INGESTED} <= ? AND TimeGenerated BETWEEN ? AND ?", executed, due - period, due
        )
        self.now = due
        return {name: self.query(query) for name, query in rules.items()}

    def _show(self, condition, *values):
        for name in self._kept:
            self._connection.execute(f'DELETE FROM "{name}"')
            chosen = f'SELECT * FROM "all {name}" WHERE {condition}'
            self._connection.execute(f'INSERT INTO "{name}" {chosen}', values)
        self.forget()


class SimulatedWorkspace(SimulatedRuns, Workspace):
    """A workspace with the logs of the gateway."""

    def __init__(self, tables):
        super().__init__(tables)
        self.begin("ProofpointPOD")


class SimulatedTapWorkspace(SimulatedRuns, TapWorkspace):
    """A workspace with records of Targeted Attack Protection too."""

    def __init__(self, tables):
        super().__init__(tables)
        self.begin("Proof")
