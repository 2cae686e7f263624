"""What the analytic rules cost: the rows that pass their first filters in a day, in multiples of the rows
of a day, over a week of simulated mail.

    target/sentinel/bin/python tests/sentinel/rule_cost.py

writes the table into docs/content.md."""

import collections
import datetime
import re
import sys

import connector_cost
import tap_cost
from generated_week import DAY, DAYS, workspace
from kql import BODY, INGESTED, PARAMETERS, ROOT, runnable
from rules import ALL_RULES, RULES
from simulated_runs import span
from test_parser import NAMES
from test_rule_reads import WITHOUT_PARSER, calls

# The statement of the parser that reads the table of each event type.
STATEMENTS = {"message": "Message", "maillog": "MailLog", "audit": "Audit"}

# No rule may cost more, nor all rules that are enabled by default together.
LIMIT = 30
LIMIT_OF_ALL = 120

PAGE = ROOT / "docs" / "content.md"


class Costs:
    """The costs of rules in a workspace."""

    def __init__(self, workspace):
        self._workspace = workspace
        self._filters = {kind: _filter(workspace, name) for kind, name in STATEMENTS.items()}
        self._day = sum(len(rows) for _, rows in workspace.tables.values()) / DAYS

    def of(self, name):
        """The rows that pass the rule's first filters in a day, in multiples of a day's rows."""
        rule = RULES[name]
        runs = DAY / span(rule["queryFrequency"])
        if name in WITHOUT_PARSER:
            return runs * self._of_tables(rule["query"]) / self._day
        kinds = re.findall(r'where EventType == "(\w+)"', rule["query"])[:1] or list(STATEMENTS)
        rows = sum(self._of_call(call, rule, kinds, runs) for call in calls(rule["query"]))
        return rows / self._day

    def _of_tables(self, query):
        """The rows of a run that reads tables itself, by time only."""
        days = span(re.search(r"TimeGenerated > ago\((\w+)\)", query)[1]) / DAY
        named = {name for name in NAMES.values() if name in query}
        return days * sum(len(self._workspace.tables[name][1]) for name in named) / DAYS

    def _of_call(self, call, rule, kinds, runs):
        """The rows of a day's runs."""
        if "arrivedafter" in call:
            # Each row arrives in one run.
            return sum(self._count(kind, {}) for kind in kinds) / DAYS
        if "disposition" in call:
            given = {"disposition": call["disposition"]}
            days = span(re.search(r"ago\((\w+)\)", call["starttime"])[1]) / DAY
            return runs * days * sum(self._count(kind, given) for kind in kinds) / DAYS
        wanted = "words" if "words" in call else "ids"
        busiest = self._busiest_hour(kinds[0])
        most = self._looked_for(rule, call[wanted], busiest)
        values = {wanted: most, "arrivedby": busiest}
        rows = sum(self._count(kind, values) for kind in kinds)
        # All of the past two weeks, of which one is generated.
        return runs * rows * (2 if wanted == "words" else 1)

    def _looked_for(self, rule, name, busiest):
        """What the run after the busiest hour looks back for."""
        query = rule["query"]
        before = query[: re.search(rf"let {name} = .*?\);\n", query, re.DOTALL).end()]
        now = self._workspace.now
        self._workspace.now = busiest + span(rule["queryFrequency"])
        [row] = self._workspace.query(f"{before}print Found = {name}")
        self._workspace.now = now
        return row["Found"]

    def _busiest_hour(self, kind):
        """The end of the hour before the one with the most events of a kind."""
        hours = collections.Counter(
            row[INGESTED][:13] for row in self._workspace.tables[NAMES[kind]][1]
        )
        return datetime.datetime.fromisoformat(f"{max(hours, key=hours.get)}:00:00")

    def _count(self, kind, values):
        """The rows of the table that the parser reads with these arguments."""
        given = {
            name: f"datetime({value.isoformat()})"
            if isinstance(value, datetime.datetime)
            else value
            if isinstance(value, str)
            else f"dynamic({list(value)})".replace("'", '"')
            for name, value in values.items()
        }
        declared = [each.split(":", 1) for each in PARAMETERS.split(", ")]
        lets = "".join(
            f"let {name} = {given.get(name, rest.split('=', 1)[1])};\n" for name, rest in declared
        )
        [row] = self._workspace._answer(f"{lets}{self._filters[kind]} | count", {})
        return row["Count"]


def _filter(workspace, statement):
    """The beginning of the parser that selects rows of a table."""
    text = runnable(workspace.tables, BODY)
    helpers = "".join(
        re.findall(r"(?ms)^let (?:Arrived|TimeOr|Happened|AnyId|AnyWord) = .*?;\n", text)
    )
    reading = re.search(rf"(?ms)^let {statement} =\n(.*?)\n +\| project", text)[1]
    return helpers + reading


def linked(name):
    """The rule as a link from the page."""
    rule = ALL_RULES[name]
    file = f"[{rule['name'].split(' - ')[1]}](../sentinel/analytic-rules/{name}.yaml)"
    return file if rule.get("enabled", True) else f"{file}, disabled"


def table(costs):
    """The costs as a table of Markdown."""
    lines = ["| rule | rows a day |", "|---|---|"]
    for name, cost in sorted(costs.items(), key=lambda of: (-round(of[1], 1), of[0])):
        lines.append(f"| {linked(name)} | {cost:.1f} |")
    lines.append(f"| all that are enabled | {of_enabled(costs):.1f} |")
    return "".join(f"{line}\n" for line in lines)


def of_enabled(costs):
    return sum(cost for name, cost in costs.items() if ALL_RULES[name].get("enabled", True))


def measured():
    """The cost of each rule."""
    costs = Costs(workspace())
    of_mail = {name: costs.of(name) for name in RULES}
    return of_mail | connector_cost.costs(workspace()) | tap_cost.costs()


def sections(page, name, made):
    """The page with another table between the marks of its name."""
    begin = f"<!-- {name}: written by tests/sentinel/rule_{name}.py -->\n"
    end = f"<!-- end of {name} -->\n"
    before, rest = page.split(begin)
    return f"{before}{begin}\n{made}\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    sys.stdout.write(made := table(measured()))
    PAGE.write_text(sections(PAGE.read_text(encoding="utf-8"), "cost", made), encoding="utf-8")
