"""One message raises one incident, and what Sentinel keeps of an alert is within its limits."""

import copy
import json
import re
import unittest

import rule_cases
import threat_indicators
import watchlists
from kql import Workspace
from rule_cases_mail import EXE, dmarc
from rule_events import RUN, ago, inbound, spam, stored
from rules import QUERIES, RULES

# What the filter can find in one message, the worst first, and the rule for each of them.
FOUND = {
    "VirusDelivered": {"av": {"virusNames": ["EICAR"]}},
    "PhishDelivered": {"phish": 95},
    "ImpostorDelivered": {"impostor": 95},
    "HighRiskNotDiscarded": {"overall": 100},
    "SandboxVerdictDelivered": {"sandboxStatus": "Malicious"},
    "SuspiciousAttachment": {"exe": True},
    "DmarcFailureAccepted": dmarc("fail", "v=DMARC1; p=reject", "bank.example"),
}
FAMILY = list(FOUND)

# A larger total of an alert's details is dropped.
DETAILS = 2048


def found_from(first):
    """A message in which the filter found this and everything less bad."""
    found = {rule: FOUND[rule] for rule in FAMILY[FAMILY.index(first) :]}
    scores = {
        name: value
        for rule in ["PhishDelivered", "ImpostorDelivered", "HighRiskNotDiscarded"]
        for name, value in found.get(rule, {}).items()
    }
    modules = found["DmarcFailureAccepted"] | spam(**scores) | found.get("VirusDelivered", {})
    status = found.get("SandboxVerdictDelivered", {})
    parts = [EXE | status] if "SuspiciousAttachment" in found else []
    return inbound(parts, modules=modules)


def sender(rule):
    return f"worst@{rule.lower()}.example"


def longer(rule, occurrence):
    """The event with long texts, and with many parts and recipients. In this rule, recipients count."""
    event = copy.deepcopy(occurrence["event"])
    if occurrence["kind"] == "message":
        header = event["msg"]["header"]
        header["subject"] = [header.get("subject", [""])[0] + "é" * 3000]
        event["msgParts"] += [
            part | {"labeledName": f"{'n' * 300}{number}", "sha256": f"{number:064x}"}
            for part in event["msgParts"]
            for number in range(20)
        ]
        if event["filter"]["routeDirection"] == "inbound" and rule != "RecipientHarvesting":
            event["envelope"]["rcpts"] += [f"{'r' * 50}{n}@acme.example" for n in range(30)]
    if occurrence["kind"] == "audit":
        event["audit"]["tags"] += [{"name": "more", "value": "é" * 3000}]
    return occurrence | {"event": event}


def long_cases():
    cases = [
        (
            longer(rule, each) if each["ingested"] == ago() else each,
            f"long@{rule.lower()}.example",
        )
        for rule, (raises, _, _) in rule_cases.CASES.items()
        for each in raises[0]
    ]
    # A workspace whose data is old enough for a baseline.
    old = inbound(sent=ago(days=13), ingested=ago(days=13))
    return [*cases, (old, "old@workspace.example")]


def size(rule, row):
    """The bytes of an alert's details. The engine keeps all elements of a set, so they are counted here."""
    sizes = re.findall(r"(\w+) = make_set_if\(\w+, isnotempty\(\w+\), (\d+)\)", QUERIES[rule])
    limits = {column: int(limit) for column, limit in sizes}
    details = {
        name: row[column][: limits[column]] if column in limits else row[column]
        for name, column in RULES[rule]["customDetails"].items()
    }
    return len(json.dumps(details, ensure_ascii=False, default=str).encode())


class Incidents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        addressed = long_cases() + [(found_from(rule), sender(rule)) for rule in FAMILY]
        listed = {"ThreatIntelIndicators": threat_indicators.table(addressed)}
        workspace = Workspace(stored("columns", addressed) | listed | watchlists.tables(), RUN)
        cls.alerts = {name: workspace.query(query) for name, query in QUERIES.items()}

    def test_one_message_raises_one_incident(self):
        for worst in FAMILY:
            raised = [
                name
                for name, rows in self.alerts.items()
                if RULES[name]["incidentConfiguration"]["createIncident"]
                and any(sender(worst) in json.dumps(row, default=str) for row in rows)
            ]
            self.assertEqual(raised, [worst])

    def test_details_are_within_the_limit_for_any_message(self):
        for name, rows in self.alerts.items():
            with self.subTest(rule=name):
                sizes = [
                    size(name, row)
                    for row in rows
                    if f"long@{name.lower()}.example" in json.dumps(row, default=str).lower()
                ]
                self.assertTrue(sizes)
                self.assertLessEqual(max(sizes), DETAILS)


if __name__ == "__main__":
    unittest.main()
