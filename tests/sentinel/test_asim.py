"""Messages in the ASIM Email Event schema."""

import json
import tempfile
import unittest

import events
from kql import HERE, PARSER, Workspace, check, load
from test_parser import DECLARED, NAMES, TABLES

VIEW = load("parsers/ASimEmailEventProofpointPOD.yaml")


def called(view, **values):
    """The query of a parser with values of its parameters."""
    values = {part["Name"]: part["Default"] for part in view["ParserParams"]} | values
    written = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in values.items()
    }
    return (
        "".join(f"let {each[0]} = {each[1]};\n" for each in written.items()) + view["ParserQuery"]
    )


QUERY = called(VIEW)

# The fields of version 1.0.0 of the schema and their types.
SCHEMA = json.loads((HERE / "asim_email_event.json").read_text(encoding="utf-8"))

MANDATORY = [
    *["EventCount", "EventStartTime", "EventEndTime", "EventType", "EventResult", "EventProduct"],
    *["EventVendor", "EventSchema", "EventSchemaVersion", "Dvc", "Dst"],
]

VALUES = {
    "EventType": ["EmailInspection"],
    "EventSubType": ["", "EmailSent", "EmailReceived"],
    "EventResult": ["Success", "Partial", "Failure", "NA"],
    "EventResultDetails": [
        "",
        "BlockedByPolicy",
        "BlockedBySpamFilter",
        "PhishingDetected",
        "MalwareDetected",
    ],
    "EventSeverity": ["Informational", "Low", "Medium", "High"],
    "DvcAction": ["Delivered", "Blocked", "Quarantined", "Deleted", "NA"],
    "EmailProtocolName": ["SMTP"],
    "EmailDirection": ["Inbound", "Outbound", "Internal", "Unknown"],
    "EmailDeliveryLocation": ["", "Quarantine"],
    "EmailSpfResult": [
        "",
        "Pass",
        "Fail",
        "SoftFail",
        "Neutral",
        "None",
        "TemporaryError",
        "PermanentError",
    ],
    "EmailDkimResult": ["", "Pass", "Fail", "TemporaryError", "PermanentError", "None"],
    "EmailDmarcResult": ["", "Pass", "Fail", "BestGuessPass", "None"],
    "EmailDmarcPolicy": ["", "Quarantine", "Reject", "None"],
    "ThreatCategory": ["", "Malware", "Phishing", "Spoofing", "Spam"],
}


def record(domain, text):
    """What the filter found when it looked up the DMARC record of a domain."""
    found = {"record": text} if text else {"error": "NXDOMAIN"}
    return {"query": f"_dmarc.{domain}"} | found


# Looked-up records, and the policy that applies to a message from news.partner.example.
POLICIES = {
    "none": ([record("news.partner.example", "v=DMARC1;p=none;rua=mailto:a@b.example")], "None"),
    "case": ([record("NEWS.partner.example", "v=DMARC1; P = Reject; sp=none")], "Reject"),
    "parent": (
        [record("news.partner.example", ""), record("partner.example", "v=DMARC1; p=quarantine")],
        "Quarantine",
    ),
    "subdomains": ([record("partner.example", "v=DMARC1; sp=reject; p=none")], "Reject"),
    "only-sp": ([record("news.partner.example", "v=DMARC1; sp=reject; pct=100")], ""),
    "other-text": ([record("news.partner.example", "v=spf1 -all; p=reject")], ""),
    "unknown-policy": ([record("news.partner.example", "v=DMARC1; p=later")], ""),
    "not-found": ([record("news.partner.example", "")], ""),
    "not-looked-up": ([], ""),
}


def with_policy(name):
    """A message from a subdomain, with the records that the filter found."""
    dmarc = {"filterdResult": "fail", "records": POLICIES[name][0]}
    metadata = {"origin": {"data": {"cid": "acme_hosted", "agent": "m1.ppops.example"}}}
    event = events.message(f"dmarc-{name}", metadata=metadata)
    event["filter"]["modules"] = {"dmarc": dmarc}
    event["msg"]["header"]["from"] = ["News <one@News.partner.example>"]
    return event


def phish():
    """A message that was held in quarantine."""
    fields = {
        "routeDirection": "inbound",
        "disposition": "discard",
        "msgSizeBytes": 4321,
        "quarantine": {"folder": "Phish", "rule": "phish"},
        "actions": [{"action": "discard", "module": "spam", "rule": "phish", "isFinal": True}],
        "modules": {
            "spf": {"result": "softfail", "domain": "partner.example"},
            "dkimv": [{"result": "fail", "domain": "partner.example"}],
            "dmarc": {
                "filterdResult": "fail",
                "records": [record("acme.example", "v=DMARC1; p=quarantine; sp=reject")],
            },
            "spam": {"triggeredClassifier": "phish", "scores": {"overall": 97}},
        },
    }
    header = {
        "from": ['"The Boss" <boss@acme.example>'],
        "to": ["One <one@acme.example>"],
        "reply-to": ["other@partner.example"],
        "subject": ["Gift cards"],
    }
    parts = [
        {"disposition": "inline", "urls": [{"url": "https://partner.example/"}]},
        {"disposition": "attached", "labeledName": "a.html"},
    ]
    metadata = {"origin": {"data": {"cid": "acme_hosted", "agent": "m1.ppops.example"}}}
    return events.message(
        "phish",
        filter=fields,
        msg={"header": header, "lang": "en"},
        msgParts=parts,
        metadata=metadata,
    )


class Asim(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            cls.rows = events.generated(directory)[NAMES["message"]]
        made = [phish(), *map(with_policy, POLICIES)]
        cls.rows += events.rows("message", "columns", list(map(json.dumps, made)))
        cls.answer = Workspace({NAMES["message"]: (TABLES[NAMES["message"]], cls.rows)}).query(
            QUERY
        )

    def test_the_columns_are_those_of_the_schema(self):
        [checked] = check(DECLARED, {"ProofpointPOD": PARSER}, [QUERY])
        self.assertEqual(checked["diagnostics"], [])
        self.assertFalse(checked["open"])
        checked["columns"].pop("TimeGenerated")
        for column, kind in checked["columns"].items():
            self.assertEqual(kind, SCHEMA.get(column), column)
        self.assertLessEqual(set(MANDATORY), set(checked["columns"]))

    def test_a_message_is_mapped_to_the_schema(self):
        [row] = [row for row in self.answer if row["EventUid"] == "phish"]
        expected = {
            "EventSubType": "EmailReceived",
            "EventResult": "Failure",
            "EventResultDetails": "PhishingDetected",
            "DvcAction": "Quarantined",
            "DvcOriginalAction": "discard",
            "Dst": "acme.example",
            "Src": "192.0.2.20",
            "EmailDirection": "Inbound",
            "EmailDeliveryLocation": "Quarantine",
            "EmailOriginalDeliveryLocation": "Phish",
            "EmailFromAddress": "boss@acme.example",
            "EmailFromDomain": "acme.example",
            "EmailMailFromAddress": "sender@partner.example",
            "EmailReplyToAddress": "other@partner.example",
            "EmailToRecipients": ["One <one@acme.example>"],
            "EmailSubject": "Gift cards",
            "EmailSizeBytes": 4321,
            "EmailFileCount": 1,
            "EmailUrls": ["https://partner.example/"],
            "EmailUrlCount": 1,
            "EmailSpfResult": "SoftFail",
            "EmailDkimResult": "Fail",
            "EmailDmarcResult": "Fail",
            "EmailDmarcPolicy": "Quarantine",
            "RuleName": "phish",
            "ThreatCategory": "Phishing",
            "ThreatRiskLevel": 97,
        }
        self.assertEqual({column: row[column] for column in expected}, expected)

    def test_the_dmarc_policy_is_that_of_the_from_domain(self):
        found = {row["EventUid"]: row["EmailDmarcPolicy"] for row in self.answer}
        for name, (_, policy) in POLICIES.items():
            self.assertEqual(found[f"dmarc-{name}"], policy, name)

    def test_generated_traffic_has_only_values_of_the_schema(self):
        self.assertEqual(len(self.answer), len(self.rows))
        for row in self.answer:
            self.assertEqual([column for column in MANDATORY if row[column] in ("", None)], [])
            strange = {
                column: row[column]
                for column, values in VALUES.items()
                if row[column] not in values
            }
            self.assertEqual(strange, {})
            self.assertNotEqual(row["EmailDirection"], "Unknown")


if __name__ == "__main__":
    unittest.main()
