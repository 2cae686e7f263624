"""Runs the parser and rules on rows with values of another form than usual, in the tables of both APIs:
text instead of a list, one object instead of a list, text instead of a boolean, braces and quotes inside
names."""

import json
import unittest

import events
from kql import INTERPRETER, Workspace, load
from rule_events import RUN, ago
from rules import QUERIES
from test_parser import NAMES, TABLES, collected

TABLE = NAMES["message"]
BATCH_FILE = {"detectedExt": "BAT", "labeledName": "x.bat", "sha256": "AB" * 32}
ARCHIVE = {"detectedMime": "application/zip", "labeledName": "x.zip", "sha256": "CD" * 32}


def row(guid, **members):
    """A row of a message that was delivered and has just arrived."""
    event = events.message(guid)
    del event["ts"]
    return event | {"TimeGenerated": ago(), "eventTime": ago()} | members


def headed(guid, **fields):
    return row(guid, msg={"header": {name.replace("_", "-"): at for name, at in fields.items()}})


def sent_to(guid, recipients):
    return row(guid, envelope={"from": "sender@partner.example", "rcpts": recipients})


def decided(guid, *actions):
    return row(guid, filter=events.message(guid)["filter"] | {"actions": list(actions)})


ODD_NAMES = ["a{b", "a}b", 'a"b', "a\\", '{"isFinal": true}', '"isFinal":true', "},{", '\\"}']

SUBJECTS = {
    "=?UTF-8?B?UmVjaG51bmcgZsO8ciBTaWU=?=": "Rechnung für Sie",
    "=?utf-8?q?Caf=C3=A9_=26_100%_a+b?=": "Café & 100% a+b",
    "=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=": "Grüße",
    "=?us-ascii?Q?one_?=\r\n =?US-ASCII?B?dHdv?=": "one two",
    "Re: =?utf-8?B?w6Q=?= and =?utf-8?Q?=C3=B6?= end": "Re: ä and ö end",
    " ".join(f"=?utf-8?Q?{number}=2C?=" for number in range(6)): "0,1,2,3,4,5,",
    "=?iso-8859-1?Q?Gr=FC=DFe_=A9_100%_a+b?=": "Grüße © 100% a+b",
    "=?ISO-8859-1*de?q?=c0=D1=e8=F7?= =?iso-8859-1?Q?Hi?=": "ÀÑè÷Hi",
    "=?Windows-1252?Q?It=92s_=80_5_=96_=93now=94?=": "It\u2019s € 5 \u2013 “now”",
    "=?windows-1252?q?=8A=9A=9F=85=A0?= and =?iso-8859-1?Q?=E9?=": "ŠšŸ…\u00a0 and é",
    "=?windows-1252?q?=E8?= and =?utf-8?Q?=C3=A9?=": "=?windows-1252?q?=E8?= and é",
    # As it came: a charset that the parser does not decode, a broken word, text that looks like one.
    "=?koi8-r?Q?=F0=D2?=": "=?koi8-r?Q?=F0=D2?=",
    "=?iso-8859-15?Q?=A4?=": "=?iso-8859-15?Q?=A4?=",
    "=?windows-1252?B?R3L832U=?=": "=?windows-1252?B?R3L832U=?=",
    "=?utf-8?B?/w==?=": "=?utf-8?B?/w==?=",
    "=?utf-8?X?abc?=": "=?utf-8?X?abc?=",
    "is 1 =? 2 ?= 3": "is 1 =? 2 ?= 3",
    "100%25 a_b=3D": "100%25 a_b=3D",
}

AUTHORS = [
    (
        "encoded author",
        {
            "header": {
                "from": ["=?utf-8?Q?J=C3=B6rg?= <Joerg@Partner.example>"],
                "reply-to": ["<else@mail.example>"],
            }
        },
        [
            "Jörg <Joerg@Partner.example>",
            "Jörg",
            "joerg@partner.example",
            "<else@mail.example>",
            "else@mail.example",
        ],
    ),
    (
        "normalized author",
        {
            "header": {"from": ["raw <raw@a.example>"], "reply-to": ["raw@a.example"]},
            "normalizedHeader": {"from": ['"B, C" <b@c.example>'], "reply-to": ["d@e.example"]},
        },
        ['"B, C" <b@c.example>', "B, C", "b@c.example", "d@e.example", "d@e.example"],
    ),
    (
        "a name that is an address",
        {"header": {"from": "=?utf-8?Q?boss=40acme.example?= <x@mail.example>"}},
        ["boss@acme.example <x@mail.example>", "boss@acme.example", "x@mail.example", "", ""],
    ),
    ("no address", {"header": {"from": ["=?utf-8?Q?a=40b.example?="]}}, ["a@b.example"] + [""] * 4),
    ("no author", {"header": {}}, [""] * 5),
]

ROWS = [
    *[row(guid, msg=msg) for guid, msg, _ in AUTHORS],
    sent_to("one recipient", "b@example.org"),
    sent_to("one in brackets", "<b@example.org>"),
    sent_to("a list", ["<b@example.org>", "c@example.org"]),
    sent_to("an empty list", []),
    headed("text", subject="plain", message_id="<1@x.example>"),
    headed("text with a mark", subject="[External] invoice", message_id="<2@x.example>"),
    headed("lists", subject=["[External] first", "second"], message_id=["<3@x.example>"]),
    headed("empty lists", subject=[], message_id=[None]),
    *[headed(f"subject {number}", subject=[came]) for number, came in enumerate(SUBJECTS)],
    row(
        "normalized",
        msg={"header": {"subject": ["raw"]}, "normalizedHeader": {"subject": ["=?utf-8?Q?a?="]}},
    ),
    row("not normalized", msg={"header": {"subject": ["raw"]}, "normalizedHeader": {}}),
    row("one part", msgParts=BATCH_FILE | {"urls": [{"url": "https://one.example/"}]}),
    row("a removed part", msgParts=[BATCH_FILE | {"isDeleted": True}]),
    row("a part removed, in text", msgParts=[BATCH_FILE | {"isDeleted": "true"}]),
    row("a removed archive", msgParts=[ARCHIVE | {"isDeleted": True}]),
    row("an archive", msgParts=[ARCHIVE | {"isDeleted": False}]),
    decided("final in text", {"action": "a", "module": "m", "rule": "r", "isFinal": "true"}),
    decided(
        "not final in text",
        {"action": "a", "module": "m", "rule": "r", "isFinal": "false"},
        {"action": "b", "module": "n", "rule": "s", "isFinal": False},
    ),
    *[
        decided(
            f"name {number}",
            {"action": "continue", "module": "spf", "rule": name},
            {"action": "keep", "module": "dmarc", "rule": name, "isFinal": False},
            {"rule": name, "isFinal": True, "module": "dkimv", "action": "discard"},
        )
        for number, name in enumerate(ODD_NAMES)
    ],
]


def legacy(made):
    """The row as it is posted to the HTTP Data Collector API."""
    return made | {"event_type": "message", "msgParts": json.dumps(made["msgParts"])}


class UnreadableTimes(unittest.TestCase):
    """The codeless connector has rows without a time of the event, and delivers some of them again."""

    @classmethod
    def setUpClass(cls):
        made = [
            row("twice") | {"eventTime": None, "TimeGenerated": ago(hours=2)},
            row("twice") | {"eventTime": None, "TimeGenerated": ago(hours=1)},
            row("old") | {"eventTime": None, "TimeGenerated": ago(days=3)},
            row("timed"),
        ]
        cls.workspace = Workspace({TABLE: (TABLES[TABLE], made)})

    def answers(self, query):
        yield self.workspace.query(query)
        if INTERPRETER:
            yield from self.workspace.query_second_interpreter([query])

    def test_a_row_without_a_time_is_shown_once_by_its_own(self):
        for answer in self.answers("ProofpointPOD"):
            times = {row["Guid"]: row["EventOriginalTime"] for row in answer}
            self.assertEqual(len(answer), 3)
            self.assertEqual(
                {row["Guid"] for row in answer if not row["HasEventTime"]}, {"twice", "old"}
            )
            for row_ in answer:
                self.assertEqual(row_["EventOriginalTime"], row_["TimeGenerated"])
            self.assertLess(times["twice"], times["timed"])

    def test_the_time_range_applies_to_the_time_of_the_row(self):
        for answer in self.answers("ProofpointPOD(starttime=ago(1d))"):
            self.assertCountEqual([row["Guid"] for row in answer], ["twice", "timed"])

    def test_a_row_that_arrives_again_has_the_same_key(self):
        again = (
            "ProofpointPOD(arrivedafter=ago(90m))"
            " | join kind=leftanti (ProofpointPOD(arrivedby=ago(90m))) on EventKey"
        )
        for answer in self.answers(again):
            self.assertEqual([row["Guid"] for row in answer], ["timed"])


class UnusualRows(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        asked = ["ProofpointPOD", QUERIES["SuspiciousAttachment"], QUERIES["BinaryInAttachment"]]
        asked.append(load("hunting-queries/SuspiciousFileTypesInAttachments.yaml")["query"])
        cls.answers = {}
        for name, table in {
            TABLE: (TABLES[TABLE], ROWS),
            "ProofpointPOD_message_CL": collected(list(map(legacy, ROWS))),
        }.items():
            workspace = Workspace({name: table}, RUN)
            cls.answers[name, "duckdb-kql"] = [workspace.query(query) for query in asked]
            if INTERPRETER:
                opinions = workspace.query_second_interpreter(asked)
                cls.answers[name, "another interpreter"] = opinions

    def each(self):
        """The messages by their id, and the messages that raise each of the rules, for each table and
        engine."""
        for messages, *alerts, _ in self.answers.values():
            raised = [{alert["Guid"] for alert in of_rule} for of_rule in alerts]
            yield {message["Guid"]: message for message in messages}, *raised

    def test_every_row_is_shown_once(self):
        for messages, *_ in self.each():
            self.assertCountEqual(messages, [row["guid"] for row in ROWS])

    def test_recipients_are_a_list_whatever_the_event_has(self):
        expected = {
            "one recipient": ["b@example.org"],
            "one in brackets": ["b@example.org"],
            "a list": ["b@example.org", "c@example.org"],
            "an empty list": [],
        }
        for messages, *_ in self.each():
            for guid, recipients in expected.items():
                found = messages[guid]
                self.assertEqual(found["Recipients"], recipients, guid)
                self.assertEqual(found["Recipient"], next(iter(recipients), ""), guid)

    def test_header_fields_are_read_from_text_and_lists(self):
        expected = {
            "text": ("plain", "<1@x.example>"),
            "text with a mark": ("[External] invoice", "<2@x.example>"),
            "lists": ("[External] first", "<3@x.example>"),
            "empty lists": ("", ""),
        }
        for messages, *_ in self.each():
            for guid, values in expected.items():
                found = messages[guid]
                self.assertEqual((found["Subject"], found["EventUid"]), values, guid)

    def test_encoded_subjects_are_decoded_or_stay_as_they_came(self):
        for messages, *_ in self.each():
            found = [messages[f"subject {number}"]["Subject"] for number, _ in enumerate(SUBJECTS)]
            self.assertEqual(found, list(SUBJECTS.values()))

    def test_the_subject_is_the_normalized_one_where_it_is_there(self):
        for messages, *_ in self.each():
            self.assertEqual(messages["normalized"]["Subject"], "=?utf-8?Q?a?=")
            self.assertEqual(messages["not normalized"]["Subject"], "raw")

    def test_authors_and_reply_addresses_are_read(self):
        names = ["Author", "AuthorName", "AuthorAddress", "ReplyTo", "ReplyToAddress"]
        for messages, *_ in self.each():
            for guid, _, expected in AUTHORS:
                self.assertEqual([messages[guid][name] for name in names], expected, guid)

    def test_a_single_part_is_a_list_of_one_part(self):
        for messages, *_ in self.each():
            found = messages["one part"]
            self.assertEqual([part["labeledName"] for part in found["MsgParts"]], ["x.bat"])
            self.assertEqual(found["LabeledName0"], "x.bat")
            self.assertEqual(found["Urls"], ["https://one.example/"])

    def test_a_removed_part_raises_no_rule_on_files(self):
        for _, suspicious, binary in self.each():
            self.assertEqual(suspicious, {"one part"})
            self.assertEqual(binary, {"an archive"})

    def test_a_removed_part_is_found_but_not_delivered(self):
        for *_, files in self.answers.values():
            [found] = files
            self.assertEqual(
                (found["FileName"], found["Messages"], found["Delivered"]), ("x.bat", 3, 1)
            )

    def test_a_final_action_may_be_marked_in_text(self):
        for messages, *_ in self.each():
            final = [
                [messages[guid][name] for name in ("FinalAction", "FinalModule", "FinalRule")]
                for guid in ("final in text", "not final in text")
            ]
            self.assertEqual(final, [["a", "m", "r"], ["", "", ""]])

    def test_actions_are_found_whatever_a_rules_name_is(self):
        for messages, *_ in self.each():
            for number, name in enumerate(ODD_NAMES):
                found = messages[f"name {number}"]
                final = [found[column] for column in ("FinalAction", "FinalModule", "FinalRule")]
                self.assertEqual(final, ["discard", "dkimv", name])
                for module in ("Spf", "Dmarc", "Dkimv"):
                    [action] = found[f"Action{module}"]
                    self.assertEqual((action["module"], action["rule"]), (module.lower(), name))


if __name__ == "__main__":
    unittest.main()
