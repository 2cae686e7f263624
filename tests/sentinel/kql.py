"""An in-memory workspace: tables with rows, the parser over them, and queries on both."""

import datetime
import json
import os
import pathlib
import re
import subprocess
import tempfile

import duckdb_kql
import engine_functions
import parser_calls
import places
import times
import watchlists
import yaml

engine_functions.register()

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONTENT = ROOT / "sentinel"

# A second interpreter of the language and public sample events, which are no part of the repository:
# this variable names a folder that has them.
SHARED = os.environ.get("PROOFPOINT_SENTINEL_SHARED")
INTERPRETER = SHARED and pathlib.Path(SHARED, "tools", "kqlexec.cjs")
SAMPLES = SHARED and pathlib.Path(SHARED, "samples", "pod")

DUCKDB = {
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "string": "VARCHAR",
}


def load(path):
    """A YAML file of the content."""
    return yaml.safe_load((CONTENT / path).read_text(encoding="utf-8"))


_FUNCTION = load("parsers/ProofpointPOD.yaml")

# The parameters of the parser, as Kusto writes them, and the types by name.
PARAMETERS = ", ".join(
    f"{each['Name']}:{each['Type']}={each['Default']}" for each in _FUNCTION["FunctionParams"]
)
PARAMETER_TYPES = {each["Name"]: each["Type"] for each in _FUNCTION["FunctionParams"]}

# The body of the parser, and a query that calls it without arguments.
BODY = _FUNCTION["FunctionQuery"]
PARSER = (
    "".join(f"let {each['Name']} = {each['Default']};\n" for each in _FUNCTION["FunctionParams"])
    + BODY
)

# The columns and types of the parser, which are the same for any tables: test_language.py checks that.
COLUMNS = json.loads((HERE / "columns.json").read_text(encoding="utf-8"))

# Queries as SQL.
_TRANSLATED = {}

# The engines do not have ingestion_time(), so a column replaces it.
INGESTED = "_IngestionTime"


def runnable(tables, parser=PARSER):
    """The parser for the engines, with everything resolved that Kusto decides by the tables' columns."""
    parser = _without_absent(tables, parser).replace("ingestion_time()", INGESTED)
    statements = re.split(r"(?m)^(?=let )", parser)

    def decided(statement):
        named = [
            columns for name, (columns, _) in tables.items() if re.search(rf"\b{name}\b", statement)
        ]

        def column_or_empty(found):
            return found[1] if any(found[1] in columns for columns in named) else '""'

        return re.sub(r'column_ifexists\("(\w+)", ""\)', column_or_empty, statement)

    return "".join(map(decided, statements))


def _without_absent(tables, parser):
    """The parser without the statements for tables of the Data Collector API that are not there: an engine
    plans what is left in half the time."""
    for kind in re.findall(r"(?m)^let Legacy(\w+) =", parser):
        legacy = re.search(rf"(?ms)^let Legacy{kind} =\n.*?;\n(?=let )", parser)[0]
        if not any(re.search(rf"\b{name}\b", legacy) for name in tables):
            parser = parser.replace(legacy, "").replace(f"union {kind}, Legacy{kind}", kind)
    return parser


def for_engines(query):
    """A query with what the engines do not have replaced."""
    return places.resolved(watchlists.resolved(query)).replace("ingestion_time()", INGESTED)


def check(tables, functions, queries):
    """What Microsoft's language service says about each query."""
    [answer] = check_all([{"tables": tables, "functions": functions, "queries": queries}])
    return answer


def check_all(requests):
    """Checks queries in several workspaces at once, because the service takes seconds to start. The
    parser's columns are passed in, because the service would take seconds to find them."""
    for request in requests:
        known = {
            name: {"columns": COLUMNS, "parameters": f"({PARAMETERS})"}
            for name, body in request["functions"].items()
            if body == PARSER
        }
        request["functions"] = request["functions"] | known
        request["queries"] = [watchlists.resolved(query) for query in request["queries"]]
    checked = subprocess.run(
        ["node", HERE / "check.js"],
        input=json.dumps(requests),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(checked.stdout)


class Workspace:
    """Tables as `{name: (columns with their types, rows)}`. In queries, it is always the same time."""

    def __init__(self, tables, now=None):
        self.now = now or datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        self.tables = {name: _stored(*table) for name, table in tables.items()}
        self._connection = duckdb_kql.connect()
        self._connection.execute("SET TimeZone='UTC'")
        for name, (columns, rows) in self.tables.items():
            self._fill(name, columns, rows)
        self._calls = None

    def _fill(self, name, columns, rows):
        types = {column: DUCKDB[kind] for column, kind in columns.items()}
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
            file.flush()
            read = f"read_json('{file.name}', format='newline_delimited', columns={types})"
            self._connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM {read}')

    def query(self, text):
        """The rows of a query's result. Missing text is empty, as in Kusto."""
        return self._answer(*self._called(text))

    def _answer(self, text, values):
        sql, slots, clock = self._translated(text, tuple(values))
        given = {slot: _bound(values[name]) for name, slot in slots.items()}
        answer = self._connection.execute(sql, given | dict.fromkeys(clock, self.now))
        kinds = [(column[0], str(column[1])) for column in answer.description]
        return [
            {name: _value(kind, value) for (name, kind), value in zip(kinds, row, strict=True)}
            for row in answer.fetchall()
        ]

    def _translated(self, text, names):
        """A query as SQL, the placeholders of its parameters, and that of the time. Workspaces with the same
        tables share them, because a translation takes seconds."""
        schema = duckdb_kql.engine.schema(self._connection)
        key = text, json.dumps(schema, sort_keys=True, default=list)
        if key not in _TRANSLATED:
            marks = {
                name: number - 1000 if name.startswith("Call") else json.dumps([name])
                for number, name in enumerate(names)
            }
            head = parser_calls.declared(names)
            sql, slots = parser_calls.translated(head + text, schema, marks, self.now)
            _TRANSLATED[key] = str(sql), slots, set(sql.parameters) - set(slots.values())
        return _TRANSLATED[key]

    def _called(self, text):
        """The query with what the parser returned in place of each call, and its parameters."""
        text = for_engines(text)
        if not parser_calls.CALL.search(text):
            return text, {}
        if not self._calls:
            parser = runnable(self.tables, BODY)
            self._calls = parser_calls.ParserCalls(self._connection, parser)
        return parser_calls.resolved(text, self._answer, self._calls.returned)

    def forget(self):
        """The rows of the tables have changed since."""
        if self._calls:
            self._calls.forget()

    def query_second_interpreter(self, queries):
        """The rows of each query's result from the second interpreter. It runs the parser itself if the
        query has no arguments for it."""
        asked = [
            parser_calls.written(*self._called(text))
            if "ProofpointPOD(" in text
            else for_engines(text)
            for text in queries
        ]
        request = {
            "tables": self.tables | (self._calls.table() if self._calls else {}),
            "parser": runnable(self.tables),
            "queries": asked,
            "now": f"{self.now.isoformat()}Z",
        }
        run = subprocess.run(
            ["node", HERE / "second_interpreter.js", INTERPRETER],
            env=os.environ | {"NODE_PATH": str(HERE / "node_modules")},
            input=json.dumps(request),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        answers = []
        for answer in json.loads(run.stdout):
            at_times = [column["n"] for column in answer["cols"] if column["t"] == "datetime"]
            answers.append(
                [row | {name: times.read(row[name]) for name in at_times} for row in answer["rows"]]
            )
        return answers


def _stored(columns, rows):
    """A table with ingestion times, and with all times in UTC and with the same precision."""
    columns = columns | {INGESTED: "datetime"}
    at_times = [column for column, kind in columns.items() if kind == "datetime"]
    rows = [{INGESTED: row["TimeGenerated"]} | row for row in rows]
    return columns, [
        row | {name: times.in_utc(row[name]) for name in at_times if row.get(name)} for row in rows
    ]


def _bound(value):
    """A value as the engine takes it."""
    return json.dumps(value) if isinstance(value, list) else value


def _value(kind, value):
    if kind == "VARCHAR":
        return value or ""
    return json.loads(value) if kind == "JSON" and value is not None else value
