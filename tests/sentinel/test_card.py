"""The connector's card: it is what Sentinel takes, its queries have no fault in any workspace, and
they say of some rows what was worked out without KQL."""

import datetime
import json
import re
import unittest

import carded
import codeless
import panels
from kql import CONTENT, INGESTED, INTERPRETER, PARSER, Workspace, check_all
from test_language import full
from test_parser import NAMES

CARD = json.loads((CONTENT / "connector" / "ProofpointSentinel.json").read_text(encoding="utf-8"))
CONFIG = CARD["properties"]["connectorUiConfig"]

# What Microsoft's reference of data connector definitions asks for.
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
    """Every text of a JSON value."""
    if isinstance(value, str):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for member in values for text in texts(member)]


def runnable(query):
    return query.replace("ingestion_time()", INGESTED)


class Form(unittest.TestCase):
    def test_the_card_has_what_sentinel_asks_for_and_nothing_it_does_not_know(self):
        self.assertEqual(CARD["type"], "Microsoft.SecurityInsights/dataConnectorDefinitions")
        self.assertEqual(CARD["kind"], "Customizable")
        self.assertEqual(CARD["name"], CONFIG["id"])
        self.assertEqual(CONFIG["id"], "ProofpointSentinel")
        self.assertLessEqual(REQUIRED, set(CONFIG))
        self.assertLessEqual(set(CONFIG), REQUIRED | OPTIONAL)
        self.assertTrue(all(CONFIG[name] for name in REQUIRED))

    def test_members_have_the_members_that_sentinel_asks_for(self):
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
        # A template takes a text that begins so for an expression.
        self.assertEqual([text for text in texts(CARD) if text.startswith("[")], [])
        # Sentinel replaces what stands in double braces; the packaging tool of solutions the rest.
        self.assertEqual(re.findall(r"\{\{\w+\}\}", json.dumps(CARD)), ["{{location}}"])

    def test_it_is_connected_by_what_arrives_as_no_poller_of_sentinels_runs(self):
        self.assertEqual(
            [criterion["type"] for criterion in CONFIG["connectivityCriteria"]],
            ["IsConnectedQuery"],
        )
        self.assertEqual(CONFIG["availability"], {"status": 1, "isPreview": False})

    def test_it_asks_for_rights_on_the_workspace_and_at_proofpoint(self):
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

    def test_every_table_has_a_last_time_and_a_part_in_the_graph(self):
        tables = set(NAMES.values()) | LEGACY
        self.assertEqual(set(LAST), tables)
        self.assertIn(CONFIG["graphQueriesTableName"], tables)
        for named in [" ".join(GRAPHS.values()), CONNECTED]:
            self.assertEqual(set(re.findall(r"\w+_CL", named)), tables)


class Language(unittest.TestCase):
    def test_queries_have_no_fault_where_all_tables_are_there_some_or_none(self):
        of_codeless = {name: codeless.schema(name) for name in codeless.COLUMNS}
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
        """No fault, but for tables that this workspace lacks, which the query allows for."""
        lacked = [UNKNOWN_TABLE.search(found) for found in checked["diagnostics"]]
        self.assertTrue(all(lacked), checked["diagnostics"])
        self.assertFalse({found[1] for found in lacked} & set(tables))
        # Where a table is unknown, any column is taken for known.
        self.assertEqual(checked["open"] and set(full()) <= set(tables), False)
        for name in checked["columns"]:
            self.assertNotRegex(name, "_(string|real|datetime|dynamic|bool)$")


def answers(tables, queries):
    """What each engine answers in a workspace: by query."""
    workspace = Workspace(tables)
    texts = list(map(runnable, queries))
    yield "duckdb-kql", dict(zip(queries, map(workspace.query, texts)))
    if INTERPRETER.exists():
        yield (
            "another interpreter",
            dict(zip(queries, workspace.second_opinions(texts), strict=True)),
        )


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.events = carded.events_of()
        cls.tables = carded.tables(cls.events)
        cls.answers = list(answers(cls.tables, QUERIES))

    def rows(self, table):
        return self.tables.get(table, ([], []))[1]

    def test_sample_queries_show_the_events_that_they_are_about(self):
        for engine, answer in self.answers:
            for query, shown in zip(SAMPLES, carded.SHOWN, strict=True):
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
                    generated = [carded.read(row["TimeGenerated"]) for row in rows]
                    self.assertCountEqual(
                        [row["TimeGenerated"] for row in answer[query]], generated
                    )

    def test_each_table_has_the_time_at_which_its_last_row_arrived(self):
        for engine, answer in self.answers:
            for table, query in LAST.items():
                with self.subTest(engine=engine, table=table):
                    arrived = [carded.read(row[INGESTED]) for row in self.rows(table)]
                    self.assertEqual(
                        [row["Time"] for row in answer[query]], [max(arrived)] if arrived else []
                    )

    def test_it_is_connected_while_a_row_arrived_in_some_table_in_the_last_three_days(self):
        minute = datetime.timedelta(minutes=1)
        for table in LAST:
            for late, is_connected in [(-minute, True), (minute, False)]:
                # The engine's clock goes on while tests run.
                now = datetime.datetime.now(datetime.UTC)
                arrived = carded.stamp(now - datetime.timedelta(days=3) - late)
                # What arrived is not what happened.
                row = {
                    "TimeGenerated": carded.stamp(carded.NOW - datetime.timedelta(days=20)),
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
