"""The parser, run over rows that the connector made, against answers worked out without KQL."""

import json
import unittest

import codeless
import collector
import events
import expected
from kql import HERE, Workspace

TABLES = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))
NAMES = dict(zip(events.TYPES, ["ProofpointPODMessage_CL", "ProofpointPODMailLog_CL", "ProofpointPODAudit_CL"]))
KEYS = {"message": "Guid", "maillog": "Id", "audit": "Guid"}


def columns_tables(all_events):
    """The tables of the Logs Ingestion API."""
    return {
        NAMES[kind]: (TABLES[NAMES[kind]], events.rows(kind, "columns", texts)) for kind, texts in all_events.items()
    }


def legacy_tables(all_events):
    """The tables of the HTTP Data Collector API."""
    tables = {}
    for kind, texts in all_events.items():
        rows = [collector.columns(row) for row in events.rows(kind, "legacy", texts)]
        tables[f"ProofpointPOD_{kind}_CL"] = (collector.schema(rows), rows)
    return tables


def codeless_tables(all_events, ingested="2026-11-22T12:00:00Z"):
    """The tables of Microsoft's codeless connector."""
    tables = {}
    for kind in ["message", "maillog"]:
        name = NAMES[kind]
        rows = [codeless.row(name, json.loads(text), ingested) for text in all_events[kind]]
        tables[name] = (codeless.schema(name), rows)
    return tables


class Parser(unittest.TestCase):
    def setUp(self):
        self.maxDiff = None

    def check(self, tables, all_events, unchecked=()):
        """Each event has one row, which says what the event says."""
        rows = Workspace(tables).query("ProofpointPOD")
        found = {kind: [row for row in rows if row["EventType"] == kind] for kind in events.TYPES}
        self.assertEqual(
            {kind: len(rows) for kind, rows in found.items()},
            {kind: len(all_events.get(kind, [])) for kind in events.TYPES},
        )
        for kind, texts in all_events.items():
            by_key = {row[KEYS[kind]]: row for row in found[kind]}
            self.assertEqual(len(by_key), len(texts))
            for event in map(json.loads, texts):
                row = by_key[event.get("id" if kind == "maillog" else "guid", "")]
                differences = expected.differences(kind, event, row)
                for column in unchecked:
                    differences.pop(column, None)
                self.assertEqual(differences, {}, event)

    def test_rows_of_the_logs_ingestion_api_say_what_the_events_say(self):
        all_events = {kind: events.hand_made(kind) for kind in events.TYPES}
        self.check(columns_tables(all_events), all_events)

    def test_rows_of_the_data_collector_api_say_what_the_events_say(self):
        all_events = {kind: events.hand_made(kind) for kind in events.TYPES}
        # Kusto takes a text that is no JSON for itself, the engine of these tests for nothing.
        self.check(legacy_tables(all_events), all_events, unchecked=["ActionSpf", "ActionDmarc"])

    def test_rows_of_the_codeless_connector_say_what_the_events_say(self):
        all_events = {kind: events.hand_made(kind) for kind in ["message", "maillog"]}
        as_kept = {
            kind: [json.dumps(codeless.kept(NAMES[kind], json.loads(text))) for text in texts]
            for kind, texts in all_events.items()
        }
        self.check(codeless_tables(all_events), as_kept)

    def test_an_event_that_came_by_three_connectors_has_one_row(self):
        all_events = {kind: events.hand_made(kind) for kind in events.TYPES}
        tables = columns_tables(all_events)
        for name, (_, late) in codeless_tables(all_events).items():
            # Columns of the one connector and rows of both, some of them twice.
            tables[name][1].extend(late + late[:2])
        self.check(tables | legacy_tables(all_events), all_events, unchecked=["ActionSpf", "ActionDmarc"])

    def test_of_rows_of_one_event_the_earliest_is_kept(self):
        event = json.dumps(events.message("once", msgParts=[{"labeledName": "a.zip"}]))
        tables = columns_tables({"message": [event]})
        late = codeless_tables({"message": [event], "maillog": []})
        tables["ProofpointPODMessage_CL"][1].extend(late["ProofpointPODMessage_CL"][1])
        [row] = Workspace(tables).query("ProofpointPOD | project TimeGenerated, EventOriginalTime")
        self.assertEqual(row["TimeGenerated"], row["EventOriginalTime"])

    def test_events_without_an_id_are_told_apart(self):
        first, second = events.line_without_id(), events.line_without_id() | {"data": "another line"}
        texts = [json.dumps(event) for event in [first, second, first]]
        rows = Workspace(columns_tables({"maillog": texts})).query("ProofpointPOD | project EventOriginalMessage")
        self.assertCountEqual([row["EventOriginalMessage"] for row in rows], [first["data"], second["data"]])

    def test_a_workspace_may_lack_any_of_the_tables(self):
        self.assertEqual(Workspace({}).query("ProofpointPOD"), [])

    def test_older_tables_and_rows_of_others_in_them(self):
        texts = [json.dumps(events.message("older"))]
        columns, [row] = legacy_tables({"message": texts})["ProofpointPOD_message_CL"]
        strange = {"TimeGenerated": "2026-11-20T10:00:00Z", "event_type_s": "door", "guid_s": "strange"}
        rows = Workspace({"message_CL": (columns, [row, strange])}).query("ProofpointPOD")
        self.assertEqual([row["Guid"] for row in rows], ["older"])


if __name__ == "__main__":
    unittest.main()
