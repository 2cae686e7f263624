"""The parser, run over rows that the connector made, against answers worked out without KQL."""

import json
import re
import tempfile
import unittest

import codeless
import collector
import events
import expected
import times
from events import load
from kql import HERE, INGESTED, INTERPRETER, PARSER, SAMPLES, Workspace

TABLES = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))

# Each table that the parser names. Where one is not declared, any column is taken for known.
DECLARED = {name: {"TimeGenerated": "datetime"} for name in re.findall(r"\w+_CL", PARSER)} | TABLES
NAMES = dict(
    zip(
        events.TYPES,
        ["ProofpointPODMessage_CL", "ProofpointPODMailLog_CL", "ProofpointPODAudit_CL"],
    )
)
IDS = {"message": "guid", "maillog": "id", "audit": "guid"}

# How an event came: by which API of this connector, by Microsoft's codeless one, or by all of them.
COLUMNS, LEGACY, CODELESS, ALL = range(1, 5)

INGESTED_BY_CODELESS = "2026-11-22T12:00:00Z"


def came(by):
    """The events as text that came in one way, by type."""
    texts = {kind: events.hand_made(kind) + samples(kind) for kind in events.TYPES}
    return {
        kind: [events.told_apart(kind, text, by) for text in of_kind]
        for kind, of_kind in texts.items()
    }


def samples(kind):
    """Public sample events, of which their publishers gave several the same id."""
    files = sorted(SAMPLES.glob(f"{kind}.*.ndjson"))
    texts = [text for file in files for text in events.read(file)]
    return [
        json.dumps(load(text) | {IDS[kind]: f"sample {number}"})
        for number, text in enumerate(texts)
    ]


def tables():
    """A workspace in which each way was used."""
    both = {
        NAMES[kind]: (TABLES[NAMES[kind]], rows(kind, "columns", [COLUMNS, ALL]))
        for kind in events.TYPES
    }
    for kind in ["message", "maillog"]:
        texts = came(CODELESS)[kind] + came(ALL)[kind]
        late = [codeless.row(NAMES[kind], load(text), INGESTED_BY_CODELESS) for text in texts]
        # That connector brings some events twice.
        both[NAMES[kind]][1].extend(late + late[-2:])
    legacy = {
        f"ProofpointPOD_{kind}_CL": collected(rows(kind, "legacy", [LEGACY, ALL]))
        for kind in events.TYPES
    }
    return both | legacy


def rows(kind, shape, ways):
    return events.rows(kind, shape, [text for by in ways for text in came(by)[kind]])


def collected(of_connector):
    """The table that the HTTP Data Collector API makes of rows."""
    made = [collector.columns(row) for row in of_connector]
    return collector.schema(made), made


def key(kind, event):
    return event.get(IDS[kind]) or event.get("data") or event["filter"]["qid"]


def key_of_row(row):
    return row["EventOriginalUid"] or row["EventOriginalMessage"] or row["QueueId"]


class Parser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        workspace = Workspace(tables())
        cls.answers = {"duckdb-kql": workspace.query("ProofpointPOD")}
        if INTERPRETER.exists():
            [cls.answers["another interpreter"]] = workspace.second_opinions(["ProofpointPOD"])

    def check(self, by, of_event=lambda kind, event: event, unchecked=()):
        """Each event that came so has one row, which says what the event says."""
        for (engine, answer), kind in (
            (answer, kind) for answer in self.answers.items() for kind in events.TYPES
        ):
            with self.subTest(engine=engine, kind=kind):
                events_of_kind = [load(text) for text in came(by)[kind]]
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
                    wrong = expected.differences(kind, event, by_key[key(kind, event)])
                    wrong = {
                        column
                        for column in wrong
                        if column not in unchecked or engine != "duckdb-kql"
                    }
                    self.assertEqual(wrong, set(), key(kind, event))

    def test_rows_of_the_logs_ingestion_api_say_what_the_events_say(self):
        self.check(COLUMNS)

    def test_rows_of_the_data_collector_api_say_what_the_events_say(self):
        # duckdb-kql takes a text that is no JSON for nothing, Kusto for itself.
        self.check(LEGACY, unchecked=["ActionSpf", "ActionDmarc"])

    def test_rows_of_the_codeless_connector_say_what_it_kept_of_the_events(self):
        def kept(kind, event):
            return None if kind == "audit" else codeless.kept(NAMES[kind], event)

        self.check(CODELESS, kept)

    def test_an_event_that_came_by_three_connectors_has_one_row(self):
        # Where an event's time can't be read, each connector has given it another.
        def timed(kind, event):
            return event if times.read(event.get("ts")) else None

        self.check(ALL, timed, unchecked=["ActionSpf", "ActionDmarc"])

    def test_of_the_rows_of_an_event_the_earliest_is_kept(self):
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

    def test_an_event_arrived_when_its_first_row_did(self):
        text = json.dumps(events.message("twice"))
        [late] = events.rows("message", "columns", [text])
        late |= {INGESTED: "2026-11-22T13:00:00Z"}
        early = codeless.row(NAMES["message"], json.loads(text), INGESTED_BY_CODELESS)
        workspace = Workspace({NAMES["message"]: (TABLES[NAMES["message"]], [late, early])})
        answers = [workspace.query("ProofpointPOD")]
        if INTERPRETER.exists():
            answers += workspace.second_opinions(["ProofpointPOD"])
        for [row] in answers:
            self.assertEqual(row["IngestionTime"], times.read(INGESTED_BY_CODELESS))
            self.assertEqual(row["TimeGenerated"], row["EventOriginalTime"])

    def test_traffic_that_was_delivered_to_both_destinations_has_one_row_for_each_event(self):
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            ours, legacy = events.generated(first), events.generated(second, "--legacy")
        both = {name: (TABLES[name], of_table) for name, of_table in ours.items()}
        found = Workspace(
            both | {name: collected(of_table) for name, of_table in legacy.items()}
        ).query("ProofpointPOD")
        for kind in events.TYPES:
            made = {row[IDS[kind]]: events.of_row(row) for row in ours[NAMES[kind]]}
            # What came between the two demonstrations is in the second alone, with all its keys.
            for row in legacy[f"ProofpointPOD_{kind}_CL"]:
                made.setdefault(row[IDS[kind]], events.of_legacy_row(row))
            of_kind = {key_of_row(row): row for row in found if row["EventType"] == kind}
            self.assertEqual(len([row for row in found if row["EventType"] == kind]), len(made))
            for event in made.values():
                self.assertEqual(expected.differences(kind, event, of_kind[event[IDS[kind]]]), {})

    def test_workspaces_lack_tables_and_older_ones_hold_rows_of_others(self):
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
