"""How many alerts the analytic rules raise on a day of an ordinary week, for 1,000 users.

    target/sentinel/bin/python tests/sentinel/rule_noise.py

writes the table into docs/content.md."""

import datetime
import json
import sys

import connector_cost
import generated_week
import ordinary_week
import rule_cost
import tap_cost
import threat_indicators
import times
import watchlists
from kql import Workspace
from ordinary_week import DAYS, USERS
from rule_cost import PAGE, sections
from rule_events import stored
from rules import QUERIES, RULES
from test_parser import NAMES, TABLES

# What a rule that is enabled by default may raise on a day.
LIMIT = 5

END = datetime.datetime(2026, 11, 27)

# Both workspaces have the same tables.
ALL = {name: (TABLES[name], []) for name in NAMES.values()}

# The rule that threat mail is let through by in the demo, which is to show what rules find.
SHOWN = '"safelist_recipient"'


def over(days, query, frequency):
    """The query of one run over several days. Counts then reach their thresholds earlier."""
    return query.replace(f"ago({frequency})", f"ago({days}d)")


def is_of_one(rule):
    """Whether each alert is on one event, whatever else arrives with it."""
    return {"MessageGuid", "EventGuid"} & set(rule["customDetails"])


def alerts(workspace, name, end):
    """The alerts of a week."""
    rule = RULES[name]
    if is_of_one(rule):
        return _run(workspace, over(DAYS, QUERIES[name], rule["queryFrequency"]), end)
    days = [end - datetime.timedelta(days=day) for day in range(DAYS)]
    query = over(1, QUERIES[name], rule["queryFrequency"])
    return sum(_run(workspace, query, day) for day in days)


def _run(workspace, query, due):
    workspace.now = due
    return len(workspace.query(query))


def ordinary():
    """The workspace of the ordinary week, with data from long before."""
    addressed = ordinary_week.occurrences(END)
    old, address = addressed[0]
    before = END - datetime.timedelta(days=13)
    addressed.append((ordinary_week.at(old, before), address))
    # Administrators have logged in before.
    for number in range(4):
        each = ordinary_week.administration(0)[number]
        addressed.append((ordinary_week.at(each, before), f"admin{number}@acme.example"))
    listed = {"ThreatIntelIndicators": (threat_indicators.COLUMNS, [])}
    return Workspace(ALL | stored("columns", addressed) | listed | watchlists.tables(), now=END)


def sample():
    """Mail of the generated week without anything unusual, and how many messages it has a day."""
    week = generated_week.workspace()
    columns, rows = week.tables[NAMES["message"]]
    plain = [row for row in rows if SHOWN not in json.dumps(row)]
    listed = {"ThreatIntelIndicators": (threat_indicators.COLUMNS, [])} | watchlists.tables()
    workspace = Workspace(ALL | {NAMES["message"]: (columns, plain)} | listed, now=week.now)
    return workspace, len(plain) / DAYS


def measured():
    """The alerts of each rule on a day, for 1,000 users."""
    made = ordinary()
    plain, messages = sample()
    scale = USERS * connector_cost.OF_USER / messages
    end = max(times.read(row["TimeGenerated"]) for row in plain.tables[NAMES["message"]][1])
    found = {}
    for name in sorted(set(RULES) - {"ConnectorSilent"}):
        of_sample = alerts(plain, name, end)
        found[name] = (alerts(made, name, END) + scale * of_sample) / DAYS
    return found | connector_cost.alerts(generated_week.workspace()) | tap_cost.alerts()


def table(found):
    """The alerts as a table of Markdown."""
    lines = ["| rule | alerts a day |", "|---|---|"]
    for name, count in sorted(found.items(), key=lambda of: (-round(of[1], 1), of[0])):
        lines.append(f"| {rule_cost.linked(name)} | {count:.1f} |")
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(made := table(measured()))
    PAGE.write_text(sections(PAGE.read_text(encoding="utf-8"), "noise", made), encoding="utf-8")
