"""Each hunting query over TAP finds the records that it is for, in order, and no others."""

import json
import unittest
import uuid

import comparison
import rule_events
import tap
import tap_records
from kql import CONTENT, INTERPRETER, PARSER, check, load
from tap import TapWorkspace
from tap_records import ago, blocked, click, message, threat
from test_parser import DECLARED, NAMES, TABLES

HUNTS = {path.stem: load(path) for path in sorted((CONTENT / "hunting-queries").glob("Tap*.yaml"))}
NOW = tap_records.NOW.replace(tzinfo=None)


def delivered(sender, **members):
    return message(threats=members.pop("threats", [threat()]), sender=sender, **members)


def clicked(user, array="clicksBlocked", site="bad.example", **members):
    return click(array, recipient=user, url=f"https://{site}/", **members)


# For each query: the records, and what it finds.
CASES = {
    "TapFirstSeenSender": (
        [
            delivered("New@one.example", GUID="1", recipient=["a@acme.example", "b@acme.example"]),
            delivered("few@one.example", GUID="2"),
            delivered("known@one.example", GUID="3"),
            delivered("KNOWN@one.example", GUID="4", at=ago(days=3)),
            blocked([threat()], sender="stopped@one.example"),
            delivered("cleared@one.example", threats=[threat(status="cleared")]),
            delivered("bare@one.example", threats=[]),
            delivered("forgotten@one.example", GUID="5"),
            delivered("forgotten@one.example", GUID="6", at=ago(days=16)),
        ],
        [
            {"Sender": "new@one.example", "RecipientCount": 2, "Messages": 1},
            {"SenderName": "few", "SenderDomain": "one.example", "RecipientCount": 1},
            {"Sender": "forgotten@one.example"},
        ],
    ),
    "TapClickWithoutMessage": (
        [
            clicked("Two@acme.example", GUID="unknown"),
            clicked("two@acme.example", "clicksPermitted", GUID="unknown"),
            clicked("one@acme.example", GUID="other"),
            clicked("known@acme.example", GUID="known"),
            # Before the gateway's log begins.
            clicked("early@acme.example", GUID="early", at=ago(days=3)),
        ],
        [
            {"Recipient": "two@acme.example", "Clicks": 2, "Permitted": 1},
            {"RecipientName": "one", "Clicks": 1, "Permitted": 0},
        ],
    ),
    "TapThreatsByRoute": (
        [
            delivered("a@b.example", policyRoutes=["weak", "all"]),
            delivered("a@b.example", policyRoutes=[]),
            blocked([threat()], policyRoutes=["all"]),
            blocked([threat(), threat(threatID="cd" * 32)], policyRoutes=["all"]),
            delivered(
                "a@b.example", threats=[threat(status="falsePositive")], policyRoutes=["good"]
            ),
        ],
        [
            {"Route": "none", "Delivered": 1, "Blocked": 0, "DeliveredPercent": 100},
            {"Route": "weak", "Delivered": 1, "Blocked": 0, "DeliveredPercent": 100},
            {"Route": "all", "Delivered": 1, "Blocked": 2, "DeliveredPercent": 33.3},
        ],
    ),
    "TapRepeatedBlockedClicks": (
        [
            *[clicked("Many@acme.example", site=f"{n}.example", GUID=str(n)) for n in range(3)],
            clicked("many@acme.example", "clicksPermitted", site="1.example"),
            # One link, again and again.
            *[clicked("same@acme.example", GUID=str(n)) for n in range(4)],
            *[clicked("few@acme.example", site=f"{n}.example") for n in range(2)],
            *[
                clicked("let@acme.example", "clicksPermitted", site=f"{n}.example")
                for n in range(3)
            ],
        ],
        [{"Recipient": "many@acme.example", "Blocked": 3, "Permitted": 1, "BlockedUrls": 3}],
    ),
}


def gateway():
    """The gateway's log of two days, with one message that was clicked in."""
    made = [rule_events.events.message(guid, ts=ago(days=2)) for guid in ["known", "first"]]
    rows = rule_events.events.rows("message", "columns", list(map(json.dumps, made)))
    return {NAMES["message"]: (TABLES[NAMES["message"]], rows)}


class Hunts(unittest.TestCase):
    def answers(self, name):
        records, _ = CASES[name]
        for shape in ["columns", "legacy"]:
            tables = tap_records.stored(shape, records) | gateway()
            yield TapWorkspace(tables, NOW).query(HUNTS[name]["query"])
            if INTERPRETER:
                yield TapWorkspace(tables, NOW).opinions([HUNTS[name]["query"]])[0]

    def test_every_hunt_has_a_case(self):
        self.assertEqual(list(HUNTS), sorted(CASES))

    def test_hunts_find_only_matching_records_in_order(self):
        for name, (_, meant) in CASES.items():
            for answer in self.answers(name):
                with self.subTest(hunt=name):
                    self.assertEqual(len(answer), len(meant), answer)
                    for expected in meant:
                        found = [
                            row
                            for row in answer
                            if all(
                                comparison.plain(row[column]) == comparison.plain(value)
                                for column, value in expected.items()
                            )
                        ]
                        self.assertEqual(len(found), 1, expected)
                    first = meant[0]
                    if name != "TapThreatsByRoute":
                        self.assertEqual({key: answer[0][key] for key in first}, first)
                    else:
                        self.assertEqual(answer[-1]["Route"], "all")

    def test_queries_are_valid_and_return_strings_for_entities(self):
        functions = {"ProofpointPOD": PARSER} | tap.checked_functions()
        queries = [hunt["query"] for hunt in HUNTS.values()]
        answers = check(DECLARED | tap.tables(), functions, queries)
        for (name, hunt), checked in zip(HUNTS.items(), answers, strict=True):
            with self.subTest(hunt=name):
                self.assertEqual(checked["diagnostics"], [])
                self.assertFalse(checked["open"])
                fields = [each for of in hunt["entityMappings"] for each in of["fieldMappings"]]
                kinds = {checked["columns"].get(field["columnName"]) for field in fields}
                self.assertEqual(kinds, {"string"})

    def test_hunts_have_the_form_that_sentinel_requires(self):
        for name, hunt in HUNTS.items():
            with self.subTest(hunt=name):
                uuid.UUID(hunt["id"])
                self.assertTrue(hunt["name"].startswith("Proofpoint TAP - "))
                self.assertEqual(
                    [hunt["tactics"], hunt["relevantTechniques"]], [["InitialAccess"], ["T1566"]]
                )


if __name__ == "__main__":
    unittest.main()
