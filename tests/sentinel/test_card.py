"""The connector's card has the form that Sentinel requires. Its queries are valid in any workspace, and
show what was computed without KQL."""

import datetime
import json
import re
import unittest

import card
import codeless_connector
import panels
from kql import CONTENT, INGESTED, INTERPRETER, PARSER, Workspace, check_all
from test_language import full
from test_parser import NAMES

CARD = json.loads((CONTENT / "connector" / "ProofpointSentinel.json").read_text(encoding="utf-8"))
CONFIG = CARD["properties"]["connectorUiConfig"]

# Members that Microsoft's reference of data connector definitions requires.
REQUIRED = {
    "title",
    "publisher",
    "descriptionMarkdown",
    "graphQueries",
    "sampleQueries",
    "dataTypes",
}
REQUIRED |= {"connectivityCriteria", "permissions", "instructionSteps"}
OPTIONAL = {
    "id",
    "logo",
    "graphQueriesTableName",
    "availability",
    "isConnectivityCriteriasMatchSome",
}

LEGACY = {f"ProofpointPOD_{kind}_CL" for kind in NAMES}

GRAPHS = {graph["legend"]: graph["baseQuery"] for graph in CONFIG["graphQueries"]}
SAMPLES = [sample["query"] for sample in CONFIG["sampleQueries"]]
LAST = {kind["name"]: kind["lastDataReceivedQuery"] for kind in CONFIG["dataTypes"]}
[[CONNECTED]] = [criterion["value"] for criterion in CONFIG["connectivityCriteria"]]

# Sentinel counts the rows of a graph's query over time.
COUNTED = [
    f"{query}\n| summarize Rows = count() by bin(TimeGenerated, 1d)" for query in GRAPHS.values()
]
QUERIES = [*GRAPHS.values(), *COUNTED, *SAMPLES, *LAST.values(), CONNECTED]

UNKNOWN_TABLE = re.compile(r"Warning KS205: The fuzzy name '(\w+)'")


def texts(value):
    """All texts of a JSON value."""
    if isinstance(value, str):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for member in values for text in texts(member)]


def runnable(query):
    return query.replace("ingestion_time()", INGESTED)


class Form(unittest.TestCase):
    def test_the_card_has_all_required_and_only_known_members(self):
        self.assertEqual(CARD["type"], "Microsoft.SecurityInsights/dataConnectorDefinitions")
        self.assertEqual(CARD["kind"], "Customizable")
        self.assertEqual(CARD["name"], CONFIG["id"])
        self.assertEqual(CONFIG["id"], "ProofpointSentinel")
        self.assertLessEqual(REQUIRED, set(CONFIG))
        self.assertLessEqual(set(CONFIG), REQUIRED | OPTIONAL)
        self.assertTrue(all(CONFIG[name] for name in REQUIRED))

    def test_members_have_all_required_members(self):
        members = {
            "graphQueries": {"metricName", "legend", "baseQuery"},
            "sampleQueries": {"description", "query"},
            "dataTypes": {"name", "lastDataReceivedQuery"},
            "instructionSteps": {"title", "description"},
        }
        for name, wanted in members.items():
            for member in CONFIG[name]:
                self.assertEqual(set(member), wanted)
                self.assertTrue(all(member.values()))

    def test_the_card_can_be_part_of_a_template(self):
        # A template treats such a text as an expression.
        self.assertEqual([text for text in texts(CARD) if text.startswith("[")], [])
        # Sentinel replaces text in double braces.
        self.assertEqual(re.findall(r"\{\{\w+\}\}", json.dumps(CARD)), ["{{location}}"])

    def test_connected_depends_on_arrived_rows(self):
        self.assertEqual(
            [criterion["type"] for criterion in CONFIG["connectivityCriteria"]],
            ["IsConnectedQuery"],
        )
        self.assertEqual(CONFIG["availability"], {"status": 1, "isPreview": False})

    def test_permissions_name_workspace_and_proofpoint(self):
        [workspace] = CONFIG["permissions"]["resourceProvider"]
        self.assertEqual(workspace["provider"], "Microsoft.OperationalInsights/workspaces")
        self.assertEqual(workspace["scope"], "Workspace")
        self.assertEqual(
            {name for name, needed in workspace["requiredPermissions"].items() if needed},
            {"read", "write"},
        )
        asked = json.dumps(CONFIG["permissions"]["customs"])
        for needed in ["cluster id", "token", "Remote Syslog", "Owner"]:
            self.assertIn(needed, asked)

    def test_every_table_is_in_the_graph_and_has_a_last_time(self):
        tables = set(NAMES.values()) | LEGACY
        self.assertEqual(set(LAST), tables)
        self.assertIn(CONFIG["graphQueriesTableName"], tables)
        for named in [" ".join(GRAPHS.values()), CONNECTED]:
            self.assertEqual(set(re.findall(r"\w+_CL", named)), tables)


class Language(unittest.TestCase):
    def test_queries_are_valid_with_all_some_or_no_tables(self):
        of_codeless = {name: codeless_connector.schema(name) for name in codeless_connector.COLUMNS}
        every = full()
        empty = {name: {"TimeGenerated": "datetime"} for name in every}
        workspaces = [every, empty | of_codeless, of_codeless, {}]
        functions = {"ProofpointPOD": PARSER}
        requests = [
            {"tables": tables, "functions": functions, "queries": QUERIES} for tables in workspaces
        ]
        for tables, answers in zip(workspaces, check_all(requests), strict=True):
            for query, checked in zip(QUERIES, answers, strict=True):
                with self.subTest(tables=sorted(tables), query=query):
                    self.check(tables, checked)

    def check(self, tables, checked):
        """Asserts that the only warnings are about missing tables, which the query allows."""
        lacked = [UNKNOWN_TABLE.search(found) for found in checked["diagnostics"]]
        self.assertTrue(all(lacked), checked["diagnostics"])
        self.assertFalse({found[1] for found in lacked} & set(tables))
        # If a table is unknown, the service accepts any column.
        self.assertEqual(checked["open"] and set(full()) <= set(tables), False)
        for name in checked["columns"]:
            self.assertNotRegex(name, "_(string|real|datetime|dynamic|bool)$")


def answers(tables, queries):
    """The result of each engine in a workspace, by query."""
    workspace = Workspace(tables)
    texts = list(map(runnable, queries))
    yield "duckdb-kql", dict(zip(queries, map(workspace.query, texts), strict=True))
    if INTERPRETER:
        yield (
            "another interpreter",
            dict(zip(queries, workspace.query_second_interpreter(texts), strict=True)),
        )


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.events = card.events_of()
        cls.tables = card.tables(cls.events)
        cls.answers = list(answers(cls.tables, QUERIES))

    def rows(self, table):
        return self.tables.get(table, ([], []))[1]

    def test_sample_queries_show_the_expected_events(self):
        for engine, answer in self.answers:
            for query, shown in zip(SAMPLES, card.SHOWN, strict=True):
                with self.subTest(engine=engine, query=query):
                    expected = shown(self.events)
                    self.assertGreater(len(expected), 1)
                    self.assertEqual(
                        list(map(panels.plain, answer[query])), list(map(panels.plain, expected))
                    )

    def test_graphs_show_the_rows_of_their_tables(self):
        for engine, answer in self.answers:
            for kind, (legend, query) in zip(NAMES, GRAPHS.items(), strict=True):
                with self.subTest(engine=engine, legend=legend):
                    rows = self.rows(NAMES[kind]) + self.rows(f"ProofpointPOD_{kind}_CL")
                    self.assertGreater(len(rows), 1)
                    generated = [card.read(row["TimeGenerated"]) for row in rows]
                    self.assertCountEqual(
                        [row["TimeGenerated"] for row in answer[query]], generated
                    )

    def test_each_table_has_the_time_at_which_its_last_row_arrived(self):
        for engine, answer in self.answers:
            for table, query in LAST.items():
                with self.subTest(engine=engine, table=table):
                    arrived = [card.read(row[INGESTED]) for row in self.rows(table)]
                    self.assertEqual(
                        [row["Time"] for row in answer[query]], [max(arrived)] if arrived else []
                    )

    def test_connected_for_three_days_after_the_last_arrival(self):
        minute = datetime.timedelta(minutes=1)
        for table in LAST:
            for late, is_connected in [(-minute, True), (minute, False)]:
                # The engine's clock runs on during the test.
                now = datetime.datetime.now(datetime.UTC)
                arrived = card.stamp(now - datetime.timedelta(days=3) - late)
                # Arrival counts, not the time of the event.
                row = {
                    "TimeGenerated": card.stamp(card.NOW - datetime.timedelta(days=20)),
                    INGESTED: arrived,
                }
                workspace = Workspace({table: ({"TimeGenerated": "datetime"}, [row])})
                with self.subTest(table=table, is_connected=is_connected):
                    self.assertEqual(
                        workspace.query(runnable(CONNECTED)), [{"IsConnected": is_connected}]
                    )

    def test_engines_agree_that_it_is_connected(self):
        for engine, answer in self.answers:
            self.assertEqual(answer[CONNECTED], [{"IsConnected": True}], engine)

    def test_every_query_answers_in_an_empty_workspace(self):
        for engine, answer in answers({}, QUERIES):
            with self.subTest(engine=engine):
                self.assertEqual(answer.pop(CONNECTED), [{"IsConnected": False}])
                self.assertEqual(list(answer.values()), [[]] * len(answer))


if __name__ == "__main__":
    unittest.main()
