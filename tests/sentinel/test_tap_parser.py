"""Runs the functions over TAP records on rows that the connector made, in every form that a workspace
can have them, and compares them with values worked out without KQL."""

import unittest

import expected_tap
import tap
import tap_records
import times
from kql import INGESTED, INTERPRETER, check_all
from tap import COLUMNS, FUNCTIONS, KINDS, LEGACY_TABLES, POLLER, TABLES, TapWorkspace
from tap_records import ago, click, message, threat

# Columns of Microsoft's parser 1.0.0.
OFFICIAL = {
    "CcAddresses", "Cluster", "CompletelyRewritten", "SrcUsername", "EventOriginalUid", "HeaderFrom",
    "HeaderReplyTo", "Id", "ImpostorScore", "MalwareScore", "MessageId", "MessageParts", "NetworkBytes",
    "EventEndTime", "ModulesRun", "PhishScore", "PolicyRoutes", "Qid", "QuarantineFolder",
    "QuarantineRule", "Recipient", "ReplyToAddress", "Sender", "SrcIpAddr", "SpamScore", "Subject",
    "ThreatsInfoMap", "DstUsername", "Xmailer", "EventVendor", "EventProduct", "EventCount",
}  # fmt: skip


def records():
    """Public samples and hand-written records by kind, with ids of their own."""
    made = {array: tap.fixtures(array) for array in KINDS}
    two = [threat("MALWARE", "ATTACHMENT"), threat(threatID="ef" * 32, threatTime=ago(hours=1))]
    odd = {"impostorScore": 0.75, "completelyRewritten": "na", "subject": 'Q"3 [x] é'}
    for each in [message(threats=two, **odd), message(threats=[threat(status="falsePositive")])]:
        made["messagesDelivered"].append(each["record"])
    made["messagesBlocked"].append(
        message("messagesBlocked", recipient=["a@b.example"] * 2)["record"]
    )
    made["clicksPermitted"].append(
        click(classification="MALWARE", threatStatus="Cleared")["record"]
    )
    for array, of_array in made.items():
        for number, record in enumerate(of_array):
            if "id" in record:
                record["id"] = f"{number:08d}-0000-4000-8000-{list(KINDS).index(array):012d}"
            # An address of the former form.
            if isinstance(record.get("fromAddress"), str):
                record["fromAddress"] = [record["fromAddress"]]
    return made


RECORDS = records()


def without(rows, *names):
    return [{name: row[name] for name in row if name not in names} for row in rows]


def codeless(array, of_array):
    """The rows of Microsoft's connector: its columns, with the arrival as time."""
    made = tap.rows(array, "columns", of_array)
    name = TABLES[array]
    columns = {of: kind for of, kind in COLUMNS[name].items() if of != "AdditionalFields"}
    return columns, [
        row | {"TimeGenerated": ago(minutes=1)} for row in without(made, "AdditionalFields")
    ]


def workspaces():
    """For each form: its tables, and the columns that it does not hold."""
    legacy = {
        LEGACY_TABLES[array]: tap_records.legacy_table(
            [row | {INGESTED: ago(minutes=1)} for row in tap.rows(array, "legacy", of_array)]
        )
        for array, of_array in RECORDS.items()
    }
    polled = [row for _, rows in legacy.values() for row in rows]
    columns = {name: kind for of, _ in legacy.values() for name, kind in of.items()}
    return {
        "Logs Ingestion API": {
            name: (COLUMNS[name], tap.rows(array, "columns", RECORDS[array]))
            for array, name in TABLES.items()
        },
        "codeless connector": {
            TABLES[array]: codeless(array, of_array) for array, of_array in RECORDS.items()
        },
        "HTTP Data Collector API": legacy,
        "native poller": {POLLER: (columns, polled)},
    }


# What a form does not hold.
LOST = {
    "codeless connector": {"ImpostorScore"},
    "native poller": {"EventName", "EventResult"},
}


def key(row):
    return row["Id"] or row["EventOriginalUid"]


class Functions(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.answers = {}
        for form, tables in workspaces().items():
            workspace = TapWorkspace(tables)
            queries = ["ProofpointTAPEvent", "ProofpointTAPThreats"]
            cls.answers[form, "duckdb-kql"] = list(map(workspace.query, queries))
            if INTERPRETER:
                cls.answers[form, "another interpreter"] = second_opinion(tables, queries)

    def test_each_record_has_one_row_with_its_values(self):
        expected = [
            (record, expected_tap.event(array, record))
            for array, of_array in RECORDS.items()
            for record in of_array
        ]
        for (form, engine), (answer, _) in self.answers.items():
            with self.subTest(form=form, engine=engine):
                rows = {key(row): row for row in answer}
                self.assertEqual(len(answer), len(expected))
                for _, row in expected:
                    wrong = expected_tap.differences(row, rows[key(row)])
                    self.assertLessEqual(set(wrong), LOST.get(form, set()), wrong)

    def test_each_threat_has_its_newest_verdict(self):
        expected = [
            row
            for array, of_array in RECORDS.items()
            for record in of_array
            for row in expected_tap.threats(array, record)
        ]
        for (form, engine), (_, answer) in self.answers.items():
            with self.subTest(form=form, engine=engine):
                rows = {(key(row), row["ThreatId"]): row for row in answer}
                self.assertEqual(len(answer), len(expected))
                for row in expected:
                    found = rows[row["Id"] or row["Guid"], row["ThreatId"]]
                    wrong = expected_tap.differences(row, found)
                    self.assertLessEqual(set(wrong), LOST.get(form, set()), wrong)


def second_opinion(tables, queries):
    """The answers of the second interpreter, which runs the functions themselves."""
    return TapWorkspace(tables).opinions(queries)


class Records(unittest.TestCase):
    """Records that arrive more than once."""

    def answers(self, tables, query="ProofpointTAPEvent"):
        yield TapWorkspace(tables).query(query)
        if INTERPRETER:
            [answer] = TapWorkspace(tables).opinions([query])
            yield answer

    def test_a_record_of_three_connectors_has_one_row(self):
        record = message(
            threats=[threat(), threat(threatID="cd" * 32)], GUID="g", sender="a@b.example"
        )
        again = record["record"] | {"threatsInfoMap": record["record"]["threatsInfoMap"][::-1]}
        late = {**record, "record": again, "arrived": ago(seconds=0)}
        early = record | {"arrived": ago(hours=2)}
        tables = tap_records.stored("columns", [late, early])
        tables |= tap_records.stored("legacy", [record])
        for answer in self.answers(tables):
            [row] = answer
            self.assertEqual(row["IngestionTime"], times.read(ago(hours=2)))

    def test_a_record_has_its_newest_verdict_only(self):
        first = click(
            GUID="g", threatStatus="active", arrived=ago(hours=3), threatTime=ago(hours=4)
        )
        cleared = first["record"] | {"threatStatus": "cleared", "threatTime": ago(hours=2)}
        second = {**first, "record": cleared, "arrived": ago(hours=1)}
        repeated = first | {"arrived": ago(minutes=1)}
        tables = tap_records.stored("columns", [first, second, repeated])
        for answer in self.answers(tables):
            [row] = answer
            self.assertEqual(row["ThreatStatus"], "cleared")
            self.assertEqual(row["IngestionTime"], times.read(ago(hours=1)))

    def test_what_has_just_arrived_are_new_verdicts(self):
        old, new = {"arrived": ago(hours=3)}, {"arrived": ago(minutes=5)}
        again = click(GUID="again", **old)
        verdict = message(GUID="verdict", threats=[threat(at=ago(hours=4))], **old)
        changed = verdict["record"] | {
            "threatsInfoMap": [threat(status="cleared", at=ago(hours=1))]
        }
        made = [
            click(GUID="new", **new),
            click(GUID="old", **old),
            again,
            again | new,
            verdict,
            {**verdict, "record": changed} | new,
            click(GUID="next run", arrived=ago(minutes=-2)),
        ]
        query = f"ProofpointTAPEvent(arrivedafter=datetime({ago(hours=1)}), arrivedby=datetime({ago()}))"
        for answer in self.answers(tap_records.stored("columns", made), query):
            self.assertCountEqual([row["Guid"] for row in answer], ["new", "verdict"])

    def test_parameters_select_by_time_and_message(self):
        made = [click(GUID=f"g{hours}", at=ago(hours=hours)) for hours in range(5)]
        tables = tap_records.stored("columns", made)
        query = f"ProofpointTAPEvent(starttime=datetime({ago(hours=3)}), endtime=datetime({ago(hours=1)}))"
        for answer in self.answers(tables, query):
            self.assertCountEqual([row["Guid"] for row in answer], ["g1", "g2", "g3"])
        for answer in self.answers(tables, 'ProofpointTAPThreats(guids=dynamic(["g2", "x"]))'):
            self.assertEqual([row["Guid"] for row in answer], ["g2"])

    def test_records_without_id_are_told_apart(self):
        same = {"GUID": "g", "id": None}
        made = [click(**same), click(**same, recipient="two@acme.example")]
        made += [click(**same, url="https://other.example"), click(**same)]
        for answer in self.answers(tap_records.stored("columns", made)):
            self.assertEqual(len(answer), 3)

    def test_tables_can_be_missing(self):
        tables = tap_records.stored("columns", [click(GUID="g")])
        tables |= {"Other": ({"TimeGenerated": "datetime"}, [])}
        for answer in self.answers(tables):
            self.assertEqual([row["EventName"] for row in answer], ["clicksPermitted"])


class Language(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        every = {name: of for made in workspaces().values() for name, (of, _) in made.items()}
        empty = {name: {"TimeGenerated": "datetime"} for name in every}
        guids = {
            name: {of: "guid" if of.endswith("_g") else kind for of, kind in columns.items()}
            for name, columns in every.items()
        }
        cls.workspaces = [
            every,
            empty,
            empty | {name: COLUMNS[name] for name in TABLES.values()},
            guids,
        ]
        events = FUNCTIONS.standalone("ProofpointTAPEvent")
        requests = [
            {
                "tables": tables,
                "functions": {},
                "queries": [events],
            }
            for tables in cls.workspaces
        ]
        cls.checked = [found for [found] in check_all(requests)]
        known = {"columns": cls.checked[0]["columns"], "parameters": f"({tap.PARAMETERS})"}
        asked = {"tables": every, "functions": {"ProofpointTAPEvent": known}}
        [[cls.threats]] = check_all(
            [asked | {"queries": [FUNCTIONS.standalone("ProofpointTAPThreats")]}]
        )

    def test_the_functions_are_valid_in_every_workspace(self):
        for found in [*self.checked, self.threats]:
            self.assertEqual(found["diagnostics"], [])
            self.assertFalse(found["open"])
        for found in self.checked:
            self.assertEqual(found["columns"], self.checked[0]["columns"])

    def test_no_column_has_two_types(self):
        kinds = ("_string", "_real", "_bool", "_datetime", "_dynamic", "_int", "_long")
        for found in [self.checked[0], self.threats]:
            self.assertEqual([name for name in found["columns"] if name.endswith(kinds)], [])

    def test_queries_for_the_official_parser_find_their_columns(self):
        self.assertLessEqual(OFFICIAL, set(self.checked[0]["columns"]))

    def test_both_functions_have_the_same_parameters(self):
        events, threats = map(FUNCTIONS.parameters, FUNCTIONS)
        self.assertEqual(events, threats)


if __name__ == "__main__":
    unittest.main()
