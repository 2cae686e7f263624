"""The filtering parser selects messages by its parameters, and maps them as the other parser does."""

import json
import re
import unittest

import events
import test_asim
from kql import INTERPRETER, PARSER, Workspace, check, load
from test_asim import SCHEMA, called
from test_parser import DECLARED, NAMES, TABLES

FILTER = load("parsers/vimEmailEventProofpointPOD.yaml")

# The parameters of filtering parsers of the schema, as the parser for all sources passes them on.
PARAMETERS = {
    "starttime": "datetime",
    "endtime": "datetime",
    "ipaddr_has_any_prefix": "dynamic",
    "emailfromaddress_has_any": "dynamic",
    "emailrecipient_has_any": "dynamic",
    "emailsubject_has_any": "dynamic",
    "emaildirection_in": "dynamic",
    "emaildeliverylocation_in": "dynamic",
    "eventresult": "string",
    "disabled": "bool",
    "pack": "bool",
}

# Values of parameters, and the messages that they select. `untimed` has the time of its arrival.
ALL = {"phish", "invoice", "untimed"}
SELECTED = [
    ({}, ALL),
    ({"disabled": True}, set()),
    ({"starttime": "datetime(2026-11-20T17:00:00.000002Z)"}, {"invoice", "untimed"}),
    ({"starttime": "datetime(2026-11-20T17:00:00.000001Z)"}, ALL),
    ({"endtime": "datetime(2026-11-20T17:00:00.000001Z)"}, {"phish"}),
    ({"endtime": "datetime(2026-11-20T17:00:00Z)"}, set()),
    ({"starttime": "datetime(2026-11-22)", "endtime": "datetime(2026-11-24)"}, {"untimed"}),
    ({"ipaddr_has_any_prefix": 'dynamic(["192.0.2."])'}, {"phish", "untimed"}),
    ({"ipaddr_has_any_prefix": 'dynamic(["203.", "198.51.100.7"])'}, {"invoice"}),
    ({"ipaddr_has_any_prefix": 'dynamic(["198.51.100"])'}, set()),
    ({"emailfromaddress_has_any": 'dynamic(["BOSS@acme.example"])'}, {"phish"}),
    ({"emailfromaddress_has_any": 'dynamic(["nobody", "shop.example"])'}, {"invoice"}),
    ({"emailfromaddress_has_any": 'dynamic(["hop.example"])'}, set()),
    ({"emailrecipient_has_any": 'dynamic(["two@acme.example"])'}, {"invoice"}),
    ({"emailrecipient_has_any": 'dynamic(["copy@acme.example"])'}, {"invoice"}),
    ({"emailrecipient_has_any": 'dynamic(["blind@acme.example"])'}, {"invoice"}),
    ({"emailsubject_has_any": 'dynamic(["gift", "bill"])'}, {"phish"}),
    ({"emaildirection_in": 'dynamic(["Outbound", "Internal"])'}, {"invoice"}),
    ({"emaildeliverylocation_in": 'dynamic(["Quarantine"])'}, {"phish"}),
    ({"eventresult": "'Failure'"}, {"phish"}),
    ({"eventresult": "'Success'", "emailsubject_has_any": 'dynamic(["gift"])'}, set()),
]


def invoice():
    """A message that was delivered to a recipient of each kind."""
    header = {
        "from": ["Shop <sales@shop.example>"],
        "to": ["Two <two@acme.example>"],
        "cc": ["copy@acme.example"],
        "subject": ["Invoice"],
    }
    return events.message(
        "invoice",
        ts="2026-11-21T10:00:00Z",
        connection={"ip": "198.51.100.7"},
        envelope={
            "from": "sales@shop.example",
            "rcpts": ["two@acme.example", "blind@acme.example"],
        },
        filter={"disposition": "continue", "routeDirection": "outbound", "qid": "Q2"},
        msg={"header": header},
    )


def rows():
    """The rows of the messages, which arrived a day apart. The codeless connector leaves the time of an
    event empty that it cannot read."""
    made = [test_asim.phish(), invoice(), events.message("untimed")]
    found = events.rows("message", "columns", list(map(json.dumps, made)))
    for day, row in enumerate(found):
        row["TimeGenerated"] = f"2026-11-{21 + day}T12:00:00Z"
    found[-1]["eventTime"] = None
    return found


class Filter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = Workspace({NAMES["message"]: (TABLES[NAMES["message"]], rows())})

    def test_it_has_the_parameters_of_the_schema(self):
        made = {each["Name"]: each["Type"] for each in FILTER["ParserParams"]}
        self.assertEqual(made, PARAMETERS)

    def test_the_columns_are_those_of_the_other_parser(self):
        queries = [called(view) for view in (FILTER, test_asim.VIEW)]
        filtering, other = check(DECLARED, {"ProofpointPOD": PARSER}, queries)
        self.assertEqual(filtering["diagnostics"], [])
        self.assertEqual(filtering["columns"], other["columns"])
        self.assertLess(len(filtering["columns"]), len(SCHEMA))

    def test_each_parameter_selects_messages(self):
        self.assertEqual(
            {name for values, _ in SELECTED for name in values}, {*PARAMETERS} - {"pack"}
        )
        for values, expected in SELECTED:
            with self.subTest(values=values):
                found = [row["EventUid"] for row in self.workspace.query(called(FILTER, **values))]
                self.assertCountEqual(found, expected)

    def test_messages_are_mapped_as_by_the_other_parser(self):
        filtering, other = (
            sorted(self.workspace.query(called(view)), key=lambda row: row["EventUid"])
            for view in (FILTER, test_asim.VIEW)
        )
        self.assertEqual(filtering, other)

    def test_the_mapping_is_the_text_of_the_other_parser(self):
        def columns(view):
            before, _, after = view["ParserQuery"].partition("| project\n")
            return before.partition("| extend")[2], after.partition("\n  AdditionalFields")[0]

        (derived, mapped), (other, expected) = columns(FILTER), columns(test_asim.VIEW)
        self.assertEqual(mapped, expected)
        conditions = {*derived.splitlines()} - {*other.splitlines()}
        self.assertTrue(all("_has_any" in line for line in conditions), conditions)
        self.assertLessEqual({*other.splitlines()}, {*derived.splitlines()})

    def test_pack_adds_fields_that_the_schema_lacks(self):
        [row] = [
            row
            for row in self.workspace.query(called(FILTER, pack=True))
            if row["EventUid"] == "invoice"
        ]
        packed = row["AdditionalFields"]
        self.assertEqual((packed["QueueId"], packed["ClusterId"]), ("Q2", "acme_hosted"))
        self.assertEqual(packed["Recipients"], ["two@acme.example", "blind@acme.example"])

    def test_times_are_filtered_before_rows_are_grouped(self):
        # The function passes only a filter on the event's time to the tables.
        lines = FILTER["ParserQuery"].splitlines()
        early = [
            line for line in lines if line.startswith("| where") and "EventOriginalTime" in line
        ]
        self.assertEqual(len(early), 2)
        self.assertTrue(all("TimeGenerated" not in line for line in early))
        self.assertLess(max(map(lines.index, early)), lines.index("| extend"))

    @unittest.skipUnless(INTERPRETER, "another interpreter is not at hand")
    def test_the_second_interpreter_selects_the_same(self):
        # It does not have the function that filters by address.
        known = [pair for pair in SELECTED if "ipaddr_has_any_prefix" not in pair[0]]
        queries = [
            re.sub(r"(?m)^.*has_any_ipv4_prefix.*\n", "", called(FILTER, **values))
            for values, _ in known
        ]
        answers = self.workspace.query_second_interpreter(queries)
        for (values, expected), answer in zip(known, answers, strict=True):
            with self.subTest(values=values):
                self.assertCountEqual([row["EventUid"] for row in answer], expected)


if __name__ == "__main__":
    unittest.main()
