"""Runs the parser on rows that the connector made and compares them with values computed without KQL."""

import json
import re
import tempfile
import unittest

import codeless_connector
import data_collector
import events
import expected_columns
import times
from events import load
from kql import HERE, INGESTED, INTERPRETER, PARSER, SAMPLES, Workspace

TABLES = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))

# The tables that the parser names. If one is not declared, the service accepts any column.
DECLARED = {name: {"TimeGenerated": "datetime"} for name in re.findall(r"\w+_CL", PARSER)} | TABLES
NAMES = dict(
    zip(
        events.TYPES,
        ["ProofpointPODMessage_CL", "ProofpointPODMailLog_CL", "ProofpointPODAudit_CL"],
        strict=True,
    )
)
IDS = {"message": "guid", "maillog": "id", "audit": "guid"}

# How an event arrived: through an API of this connector, the codeless connector, or all of them.
COLUMNS, LEGACY, CODELESS, ALL = range(1, 5)

INGESTED_BY_CODELESS = "2026-11-22T12:00:00Z"


def arrived(by):
    """The events that arrived in one way, as text by type."""
    texts = {kind: events.hand_made(kind) + samples(kind) for kind in events.TYPES}
    return {
        kind: [events.with_other_id(kind, text, by) for text in of_kind]
        for kind, of_kind in texts.items()
    }


def samples(kind):
    """Public sample events, some of which have the same id."""
    files = sorted(SAMPLES.glob(f"{kind}.*.ndjson")) if SAMPLES else []
    texts = [text for file in files for text in events.read(file)]
    return [
        json.dumps(load(text) | {IDS[kind]: f"sample {number}"})
        for number, text in enumerate(texts)
    ]


def tables():
    """A workspace with events that arrived in each way."""
    both = {
        NAMES[kind]: (TABLES[NAMES[kind]], rows(kind, "columns", [COLUMNS, ALL]))
        for kind in events.TYPES
    }
    for kind in ["message", "maillog"]:
        texts = arrived(CODELESS)[kind] + arrived(ALL)[kind]
        late = [
            codeless_connector.row(NAMES[kind], load(text), INGESTED_BY_CODELESS) for text in texts
        ]
        # The codeless connector delivers some events twice.
        both[NAMES[kind]][1].extend(late + late[-2:])
    legacy = {
        f"ProofpointPOD_{kind}_CL": collected(rows(kind, "legacy", [LEGACY, ALL]))
        for kind in events.TYPES
    }
    return both | legacy


def rows(kind, shape, ways):
    return events.rows(kind, shape, [text for by in ways for text in arrived(by)[kind]])


def collected(of_connector):
    """The table that the HTTP Data Collector API makes from rows."""
    made = [data_collector.columns(row) for row in of_connector]
    return data_collector.schema(made), made


def key(kind, event):
    return event.get(IDS[kind]) or event.get("data") or event["filter"]["qid"]


def key_of_row(row):
    return row["EventOriginalUid"] or row["EventOriginalMessage"] or row["QueueId"]


class Parser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        workspace = Workspace(tables())
        cls.answers = {"duckdb-kql": workspace.query("ProofpointPOD")}
        if INTERPRETER:
            [cls.answers["another interpreter"]] = workspace.query_second_interpreter(
                ["ProofpointPOD"]
            )

    def check(self, by, of_event=lambda kind, event: event):
        """Asserts that each event that arrived this way has one row with the event's values."""
        for (engine, answer), kind in (
            (answer, kind) for answer in self.answers.items() for kind in events.TYPES
        ):
            with self.subTest(engine=engine, kind=kind):
                events_of_kind = [load(text) for text in arrived(by)[kind]]
                left_out = [
                    key(kind, event) for event in events_of_kind if of_event(kind, event) is None
                ]
                made = [
                    of_event(kind, event)
                    for event in events_of_kind
                    if key(kind, event) not in left_out
                ]
                found = [
                    row
                    for row in answer
                    if row["EventType"] == kind and key_of_row(row)[1] == str(by)
                ]
                found = [row for row in found if key_of_row(row) not in left_out]
                self.assertCountEqual(map(key_of_row, found), [key(kind, event) for event in made])
                by_key = {key_of_row(row): row for row in found}
                for event in made:
                    wrong = expected_columns.differences(kind, event, by_key[key(kind, event)])
                    self.assertEqual(set(wrong), set(), key(kind, event))

    def test_logs_ingestion_rows_have_the_events_values(self):
        self.check(COLUMNS)

    def test_data_collector_rows_have_the_events_values(self):
        self.check(LEGACY)

    def test_codeless_rows_have_the_values_that_it_kept(self):
        def kept(kind, event):
            return None if kind == "audit" else codeless_connector.kept(NAMES[kind], event)

        self.check(CODELESS, kept)

    def test_an_event_from_three_connectors_has_one_row(self):
        # If an event's time cannot be read, each connector sets a different one.
        def timed(kind, event):
            return event if times.read(event.get("ts")) else None

        self.check(ALL, timed)

    def test_the_earliest_row_of_an_event_is_kept(self):
        for engine, answer in self.answers.items():
            thrice = [
                row
                for row in answer
                if key_of_row(row)[1] == str(ALL) and row["EventType"] == "maillog"
            ]
            early = [row for row in thrice if row["EventOriginalTime"]]
            self.assertGreater(len(early), 5)
            for row in early:
                self.assertEqual(row["TimeGenerated"], row["EventOriginalTime"], engine)

    def test_an_event_has_the_arrival_time_of_its_first_row(self):
        text = json.dumps(events.message("twice"))
        [late] = events.rows("message", "columns", [text])
        late |= {INGESTED: "2026-11-22T13:00:00Z"}
        early = codeless_connector.row(NAMES["message"], json.loads(text), INGESTED_BY_CODELESS)
        workspace = Workspace({NAMES["message"]: (TABLES[NAMES["message"]], [late, early])})
        answers = [workspace.query("ProofpointPOD")]
        if INTERPRETER:
            answers += workspace.query_second_interpreter(["ProofpointPOD"])
        for [row] in answers:
            self.assertEqual(row["IngestionTime"], times.read(INGESTED_BY_CODELESS))
            self.assertEqual(row["TimeGenerated"], row["EventOriginalTime"])

    def test_traffic_to_both_destinations_has_one_row_per_event(self):
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            ours, legacy = events.generated(first), events.generated(second, "--legacy")
        both = {name: (TABLES[name], of_table) for name, of_table in ours.items()}
        found = Workspace(
            both | {name: collected(of_table) for name, of_table in legacy.items()}
        ).query("ProofpointPOD")
        for kind in events.TYPES:
            made = {row[IDS[kind]]: events.of_row(row) for row in ours[NAMES[kind]]}
            # Events between the two demos are only in the second, with all their keys.
            for row in legacy[f"ProofpointPOD_{kind}_CL"]:
                made.setdefault(row[IDS[kind]], events.of_legacy_row(row))
            of_kind = {key_of_row(row): row for row in found if row["EventType"] == kind}
            self.assertEqual(len([row for row in found if row["EventType"] == kind]), len(made))
            for event in made.values():
                self.assertEqual(
                    expected_columns.differences(kind, event, of_kind[event[IDS[kind]]]), {}
                )

    def test_tables_can_be_missing_or_hold_rows_of_other_types(self):
        texts = [json.dumps(events.message("older"))]
        columns, [row] = collected(events.rows("message", "legacy", texts))
        strange = {
            "TimeGenerated": "2026-11-20T10:00:00Z",
            "event_type_s": "door",
            "guid_s": "strange",
        }
        found = Workspace({"message_CL": (columns, [row, strange])}).query("ProofpointPOD")
        self.assertEqual([row["Guid"] for row in found], ["older"])


if __name__ == "__main__":
    unittest.main()
