"""Every query of the content, by Microsoft's Kusto language service."""

import json
import unittest

import collector
import events
from kql import HERE, PARSER, check
from test_parser import TABLES, codeless_tables, legacy_tables

KINDS = ["string", "real", "bool", "datetime", "dynamic"]

# The columns of version 1.0.1 of the parser in Microsoft's solution.
OFFICIAL = json.loads((HERE / "official_columns.json").read_text(encoding="utf-8"))


def all_tables():
    """A workspace in which every connector has been at work."""
    made = legacy_tables({kind: events.hand_made(kind) for kind in events.TYPES})
    legacy = {name: columns for name, (columns, _) in made.items()}
    older = {"message_CL": legacy["ProofpointPOD_message_CL"], "maillog_CL": legacy["ProofpointPOD_maillog_CL"]}
    return TABLES | legacy | older


class Language(unittest.TestCase):
    def test_the_parser_has_no_fault_and_knows_its_columns(self):
        [checked] = check(all_tables(), {}, [PARSER])
        self.assertEqual(checked["diagnostics"], [])
        self.assertFalse(checked["open"])
        # A column of two types would be split in two: NetworkBytes_real, NetworkBytes_string.
        twins = [name for name in checked["columns"] if name.endswith(tuple(f"_{kind}" for kind in KINDS))]
        self.assertEqual(twins, [])

    def test_the_columns_are_the_same_in_every_workspace(self):
        texts = {kind: events.hand_made(kind) for kind in ["message", "maillog"]}
        codeless = {name: columns for name, (columns, _) in codeless_tables(texts).items()}
        nothing = {name: {"TimeGenerated": "datetime"} for name in all_tables()}
        results = [check(tables, {}, [PARSER])[0] for tables in [all_tables(), nothing, nothing | codeless]]
        for result in results:
            self.assertEqual(result["diagnostics"], [])
            self.assertEqual(result["columns"], results[0]["columns"])

    def test_queries_for_the_official_parser_find_their_columns(self):
        [checked] = check(all_tables(), {}, [PARSER])
        for column, kind in OFFICIAL.items():
            self.assertEqual(checked["columns"].get(column), kind, column)

    def test_a_fault_is_found(self):
        for query in ["ProofpointPOD | where NoSuchColumn == 1", "ProofpointPOD | summarize by", "NoSuchTable"]:
            [checked] = check(all_tables(), {"ProofpointPOD": PARSER}, [query])
            self.assertNotEqual(checked["diagnostics"], [], query)


if __name__ == "__main__":
    unittest.main()
