"""Each analytic rule: it is well formed, events that it is meant for raise it, and events that miss
one of its conditions do not."""

import datetime
import json
import re
import unittest
import uuid

import events
from kql import CONTENT, INGESTED, INTERPRETER, PARSER, Workspace, check, load
from test_parser import TABLES

NOW = datetime.datetime.now(datetime.timezone.utc)

RULES = {path.stem: load(path) for path in sorted((CONTENT / "analytic-rules").glob("*.yaml"))}

INDICATORS = {
    "TimeGenerated": "datetime",
    "Id": "string",
    "ObservableKey": "string",
    "ObservableValue": "string",
    "IsActive": "bool",
    "ValidUntil": "datetime",
    "Confidence": "long",
}

TACTICS = ["CredentialAccess", "Exfiltration", "InitialAccess"]


def ago(**duration):
    return (NOW - datetime.timedelta(**duration)).isoformat()


def inbound(parts=(), score=None, disposition="continue", **members):
    modules = {"spam": {"scores": {"overall": score}}} if score is not None else {}
    fields = {"routeDirection": "inbound", "disposition": disposition, "modules": modules}
    return {"filter": fields, "msgParts": list(parts)} | members


def outbound(recipients=("someone@other.example",), parts=(), size=1000, **members):
    fields = {"routeDirection": "outbound", "disposition": "continue", "msgSizeBytes": size}
    return {"filter": fields, "to": list(recipients), "msgParts": list(parts)} | members


BODY = {"detectedMime": "text/plain", "detectedExt": "TXT", "labeledName": ""}
ZIP = {"detectedMime": "application/zip", "detectedExt": "ZIP", "isArchive": True, "labeledName": "a.zip"}
EXE = {"detectedMime": "application/x-msdownload", "detectedExt": "EXE", "labeledName": "a.exe"}
LOCKED = {"detectedMime": "application/pdf", "isProtected": True}
PGP = {"detectedMime": "application/pgp-encrypted", "isProtected": False}
WEAK = {"ip": "192.0.2.66", "tls": {"inbound": {"cipher": "DES-CBC3-SHA", "version": "TLSv1"}}}
STRONG = {"ip": "192.0.2.67", "tls": {"inbound": {"cipher": "ECDHE-RSA-AES256-GCM-SHA384", "version": "TLSv1.2"}}}

LARGE = 3_000_001

# For each rule, what raises it and what nearly does: lists of messages of one sender each. A
# message can say when it was sent and when it was ingested, where neither is just now.
CASES = {
    "BinaryInAttachment": (
        [[inbound([BODY, ZIP])], [inbound([EXE])], [inbound([BODY, ZIP], sent=ago(hours=2))]],
        [
            [inbound([BODY])],
            [inbound([BODY, ZIP], disposition="discard")],
            [outbound(parts=[BODY, ZIP])],
            [inbound([BODY, ZIP], ingested=ago(minutes=11))],
        ],
    ),
    "DataExfiltrationToPrivateEmail": (
        [[outbound(["{name}@Private.example"])]],
        [
            [outbound(["{name}@private.example", "two@private.example"])],
            [outbound(["other@private.example"])],
            [outbound(["{sender}"])],
            [inbound(to=["{name}@private.example"])],
        ],
    ),
    "EmailSenderInTIList": ([[inbound(listed="email-addr:value")]], [[inbound()], [inbound(listed="expired")]]),
    "EmailSenderIPInTIList": (
        [[inbound(listed="ipv4-addr:value", connection={"ip": "198.51.100.7"})]],
        [[inbound(connection={"ip": "198.51.100.8"})]],
    ),
    "HighRiskNotDiscarded": (
        [[inbound(score=100)]],
        [[inbound(score=99)], [inbound(score=100, disposition="reject")], [inbound()]],
    ),
    "MultipleArchivedAttachmentsToSameRecipient": (
        [[outbound(parts=[BODY, ZIP])] * 4],
        [[outbound(parts=[ZIP, ZIP])] * 3, [outbound([f"{n}@other.example"], [ZIP]) for n in range(4)]],
    ),
    "MultipleLargeEmailsToSameRecipient": (
        [[outbound(size=LARGE)] * 4],
        [[outbound(size=LARGE)] * 3, [outbound(size=3_000_000)] * 4],
    ),
    "MultipleProtectedEmailsToUnknownRecipient": (
        [[outbound(parts=[BODY, LOCKED]), outbound(parts=[PGP])]],
        [
            [outbound(parts=[BODY, LOCKED])],
            [outbound(parts=[BODY])] * 2,
            [
                outbound(parts=[LOCKED]),
                outbound(parts=[LOCKED]),
                outbound(sent=ago(days=3), ingested=ago(days=3)),
            ],
        ],
    ),
    "SuspiciousAttachment": (
        [[inbound([BODY, EXE])], [inbound([{"detectedExt": "TXT", "labeledExt": "PS1"}])]],
        [[inbound([BODY, ZIP])], [outbound(parts=[EXE])]],
    ),
    "WeakCiphers": ([[inbound(connection=WEAK)]], [[inbound(connection=STRONG)], [inbound()]]),
}


def sender(rule, outcome, number):
    return f"{outcome}{number}@{rule.lower()}.example"


def case_messages():
    """The messages of all cases, each with when it was ingested, and the indicators that some need."""
    messages, indicators = [], []
    for rule, outcomes in CASES.items():
        for outcome, cases in zip(["raises", "misses"], outcomes):
            for number, case in enumerate(cases):
                address = sender(rule, outcome, number)
                for message in case:
                    messages.append(made(message, address))
                    if listed := message.get("listed"):
                        indicators.append(indicator(listed, message, address))
    return messages, indicators


def made(message, address):
    members = {key: message[key] for key in ["filter", "msgParts", "connection"] if key in message}
    names = {"sender": address, "name": address.split("@")[0]}
    recipients = [recipient.format(**names) for recipient in message.get("to", ["one@acme.example"])]
    envelope = {"from": address, "rcpts": recipients}
    event = events.message(uuid.uuid4().hex[:31] + "-", ts=message.get("sent", ago(minutes=2)), envelope=envelope, **members)
    return json.dumps(event), message.get("ingested", ago(minutes=1))


def indicator(listed, message, address):
    is_address = listed.startswith("ip")
    value = message["connection"]["ip"] if is_address else address.upper()
    until = ago(days=1) if listed == "expired" else (NOW + datetime.timedelta(days=1)).isoformat()
    key = "email-addr:value" if listed == "expired" else listed
    values = [ago(days=2), str(uuid.uuid4()), key, value, True, until, 80]
    return dict(zip(INDICATORS, values))


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        messages, indicators = case_messages()
        texts, ingested = zip(*messages)
        rows = events.rows("message", "columns", texts)
        rows = [row | {INGESTED: at} for row, at in zip(rows, ingested)]
        tables = {
            "ProofpointPODMessage_CL": (TABLES["ProofpointPODMessage_CL"], rows),
            "ThreatIntelIndicators": (INDICATORS, indicators),
        }
        workspace = Workspace(tables)
        queries = [rule["query"] for rule in RULES.values()]
        cls.answers = {"duckdb-kql": [workspace.query(query) for query in queries]}
        if INTERPRETER.exists():
            cls.answers["another interpreter"] = workspace.second_opinions(queries)
        # Where the parser names a table that is not declared, any column is taken for known.
        known = {name: {"TimeGenerated": "datetime"} for name in re.findall(r"\w+_CL", PARSER)}
        known |= TABLES | {"ThreatIntelIndicators": INDICATORS}
        cls.checked = dict(zip(RULES, check(known, {"ProofpointPOD": PARSER}, queries)))

    def test_every_rule_has_events_that_raise_it_and_events_that_nearly_do(self):
        self.assertEqual(list(RULES), sorted(CASES))
        for outcomes in CASES.values():
            self.assertTrue(all(outcomes))

    def test_rules_are_raised_by_the_events_they_are_meant_for_and_no_others(self):
        for engine, answers in self.answers.items():
            for name, answer in zip(RULES, answers):
                with self.subTest(engine=engine, rule=name):
                    cases = enumerate(CASES[name][0])
                    meant = {sender(name, "raises", number) for number, _ in cases}
                    if name == "WeakCiphers":
                        meant, found = {WEAK["ip"]}, {row["PeerIp"] for row in answer}
                    else:
                        found = {row["Sender"] for row in answer if row["Sender"].endswith(f"@{name.lower()}.example")}
                    self.assertEqual(found, meant)

    def test_queries_have_no_fault_and_return_what_the_rules_name(self):
        for name, rule in RULES.items():
            with self.subTest(rule=name):
                self.assertEqual(self.checked[name]["diagnostics"], [])
                self.assertFalse(self.checked[name]["open"])
                named = {field["columnName"] for entity in rule["entityMappings"] for field in entity["fieldMappings"]}
                self.assertLessEqual(named, set(self.checked[name]["columns"]))

    def test_rules_are_what_sentinel_takes(self):
        self.assertEqual(len({rule["id"] for rule in RULES.values()}), len(RULES))
        for name, rule in RULES.items():
            with self.subTest(rule=name):
                uuid.UUID(rule["id"])
                self.assertIn(rule["severity"], ["High", "Medium", "Low", "Informational"])
                self.assertEqual(rule["kind"], "Scheduled")
                self.assertLessEqual(set(rule["tactics"]), set(TACTICS))
                for technique in rule["relevantTechniques"]:
                    self.assertRegex(technique, r"^T\d{4}$")
                self.assertLessEqual(minutes(rule["queryFrequency"]), minutes(rule["queryPeriod"]))
                self.assertLessEqual(minutes(rule["queryPeriod"]), minutes("14d"))
                self.assertLess(len(rule["query"]), 10_000)
                # What arrived since the rule last ran is judged, each event by one run.
                windows = set(re.findall(r"IngestionTime (?:>|<=) ago\((\w+)\)", rule["query"]))
                self.assertEqual(windows, {rule["queryFrequency"]})
                for entity in rule["entityMappings"]:
                    self.assertLessEqual(len(entity["fieldMappings"]), 3)


def minutes(duration):
    return int(duration[:-1]) * {"m": 1, "h": 60, "d": 24 * 60}[duration[-1]]


if __name__ == "__main__":
    unittest.main()
