"""What the rules over the connector's table cost and raise in an ordinary week."""

import collections
import datetime

import connector_rows
import connector_week
import times
from functions import FunctionWorkspace, of_connector
from kql import INGESTED
from ordinary_week import USERS
from rules import CONNECTOR_RULES
from simulated_runs import span
from test_parser import NAMES

HOUR = datetime.timedelta(hours=1)
DAY = 24 * HOUR
DAYS = 7

# Messages of a user on a day.
OF_USER = 40


def week(generated):
    """The generated week, with what the connector says of it."""
    events = collections.defaultdict(set)
    for kind, name in NAMES.items():
        for row in generated.tables[name][1]:
            at = times.read(row["eventTime"]).replace(microsecond=0)
            disposition = row["filter"]["disposition"] if kind == "message" else ""
            hour = at.replace(minute=0, second=0)
            events[kind, hour].add((row.get("guid") or row["id"], at, disposition))

    def delivered(of, at):
        is_known = of["Account"] == "acme_hosted"
        return len(events[of["FeedType"], at]) if is_known else 0

    end = generated.now.replace(minute=10, second=0, microsecond=0)
    rows = connector_week.ordinary(end.replace(minute=0), DAYS, delivered)
    tables = {name: generated.tables[name] for name in NAMES.values()}
    return FunctionWorkspace(of_connector(), tables | connector_rows.stored("columns", rows), end)


class Costs:
    """The costs of the rules in a week."""

    def __init__(self, workspace):
        self._workspace = workspace
        _, self._told = workspace.tables[connector_rows.TABLE]
        self._seen = sorted(
            times.read(row["TimeGenerated"])
            for name in NAMES.values()
            for row in workspace.tables[name][1]
        )
        self._day = len(self._seen) / DAYS
        messages = len(workspace.tables[NAMES["message"]][1]) / DAYS
        # The connector's rows do not become more with the mail.
        self._of_users = self._day * USERS * OF_USER / messages

    def of(self, name):
        """The rows that pass the rule's first filters in a day, in multiples of a day's rows."""
        rule = CONNECTOR_RULES[name]
        runs = [self._workspace.now - number * HOUR for number in range(24)]
        told = sum(self._told_rows(rule["queryPeriod"], due) for due in runs)
        calls = rule["query"].count("ProofpointConnector(") or 2
        events = sum(map(self._events, runs)) if "ProofpointReconciliation(" in rule["query"] else 0
        return calls * told / self._of_users + events / self._day

    def _told_rows(self, period, due):
        """The connector's rows that a run is shown. A call can read all of them."""
        return sum(
            due - span(period) <= times.read(row["TimeGenerated"]) <= due for row in self._told
        )

    def _events(self, due):
        """The events that a run reads: those since the earliest of the hours that it compares."""
        since, until = due - 3 * HOUR, due - 2 * HOUR
        newest = {}
        for row in self._told:
            if row["RecordType"] == "hour" and times.read(row[INGESTED]) <= due:
                key = row["Account"], row["FeedType"], row["Hour"]
                newest[key] = max(newest.get(key, row), row, key=lambda each: each["TimeGenerated"])
        hours = [
            times.read(row["Hour"])
            for row in newest.values()
            if since < times.read(row[INGESTED]) <= until and row["Delivered"]
        ]
        return sum(min(hours, default=due) <= at <= due for at in self._seen)


def costs(generated):
    """The cost of each rule."""
    measured = Costs(week(generated))
    return {name: measured.of(name) for name in CONNECTOR_RULES}


def alerts(generated):
    """The alerts of each rule on a day: what one run over the week raises."""
    workspace, found = week(generated), {}
    for name, rule in CONNECTOR_RULES.items():
        query = rule["query"]
        for short in ["arrivedafter=ago(1h)", "arrivedafter=ago(3h)", "IngestionTime > ago(1h)"]:
            query = query.replace(short, short.split("ago")[0] + f"ago({DAYS}d)")
        found[name] = len(workspace.query(query)) / DAYS
    return found
