"""Checks every query of the content with Microsoft's Kusto language service."""

import functools
import json
import unittest

import codeless_connector
from kql import COLUMNS, HERE, PARSER, check_all
from test_parser import tables

KINDS = ["string", "real", "bool", "datetime", "dynamic"]

# The columns of version 1.0.1 of the parser in Microsoft's solution.
OFFICIAL = json.loads((HERE / "official_columns.json").read_text(encoding="utf-8"))

FAULTS = ["ProofpointPOD | where NoSuchColumn == 1", "ProofpointPOD | summarize by", "NoSuchTable"]


@functools.cache
def full():
    """The tables of a workspace that every connector has used."""
    made = {name: columns for name, (columns, _) in tables().items()}
    for kind in ["message", "maillog"]:
        made[f"{kind}_CL"] = made[f"ProofpointPOD_{kind}_CL"]
    return made


def with_guids(made):
    """The tables with GUID columns: a value that looks like a GUID can be in a string or a GUID column."""
    return {
        name: {
            column: "guid" if column.endswith("_g") else kind for column, kind in columns.items()
        }
        for name, columns in made.items()
    }


class Language(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = full()
        empty = {name: {"TimeGenerated": "datetime"} for name in made}
        of_codeless = {name: codeless_connector.schema(name) for name in codeless_connector.COLUMNS}
        workspaces = [made, empty, empty | of_codeless, with_guids(made)]
        requests = [
            {"tables": workspace, "functions": {}, "queries": [PARSER]} for workspace in workspaces
        ]
        requests.append({"tables": made, "functions": {"ProofpointPOD": PARSER}, "queries": FAULTS})
        *cls.everywhere, cls.faults = check_all(requests)
        [cls.parser] = cls.everywhere[0]

    def test_the_parser_is_valid_and_has_known_columns(self):
        self.assertEqual(self.parser["diagnostics"], [])
        self.assertFalse(self.parser["open"])

    def test_no_column_has_two_types(self):
        # Kusto would split it in two: NetworkBytes_real, NetworkBytes_string.
        ends = tuple(f"_{kind}" for kind in KINDS)
        self.assertEqual([name for name in self.parser["columns"] if name.endswith(ends)], [])

    def test_the_columns_are_the_same_in_every_workspace(self):
        for [checked] in self.everywhere:
            self.assertEqual(checked["diagnostics"], [])
            self.assertEqual(checked["columns"], COLUMNS)

    def test_queries_for_the_official_parser_find_their_columns(self):
        found = {column: self.parser["columns"].get(column) for column in OFFICIAL}
        self.assertEqual(found, OFFICIAL)

    def test_an_invalid_query_is_found(self):
        for checked in self.faults:
            self.assertNotEqual(checked["diagnostics"], [])


if __name__ == "__main__":
    unittest.main()
