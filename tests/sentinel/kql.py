"""A workspace in memory: tables with rows, the parser over them, and queries over both."""

import json
import os
import pathlib
import re
import subprocess
import tempfile

import duckdb_kql
import times
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONTENT = ROOT / "sentinel"

# Another interpreter of the language and public sample events, which are no part of the checkout
# but may lie beside it.
BESIDE = ROOT.parent / "shared"
INTERPRETER = BESIDE / "tools" / "kqlexec.cjs"
SAMPLES = BESIDE / "samples" / "pod"

DUCKDB = {
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "long": "BIGINT",
    "real": "DOUBLE",
    "string": "VARCHAR",
}


def load(path):
    """A YAML file of the content."""
    return yaml.safe_load((CONTENT / path).read_text(encoding="utf-8"))


PARSER = load("parsers/ProofpointPOD.yaml")["FunctionQuery"]

# Its columns and their types, whatever tables there are: test_language.py sees to that.
COLUMNS = json.loads((HERE / "columns.json").read_text(encoding="utf-8"))

# The engines lack the function that tells when a row was ingested: a column takes its place.
INGESTED = "_IngestionTime"


def runnable(tables):
    """The parser for the engines: what Kusto decides on sight of the tables' columns is decided."""
    statements = re.split(r"(?m)^(?=let )", PARSER.replace("ingestion_time()", INGESTED))

    def decided(statement):
        named = [
            columns for name, (columns, _) in tables.items() if re.search(rf"\b{name}\b", statement)
        ]

        def column_or_empty(found):
            return found[1] if any(found[1] in columns for columns in named) else '""'

        return re.sub(r'column_ifexists\("(\w+)", ""\)', column_or_empty, statement)

    return "".join(map(decided, statements))


def check(tables, functions, queries):
    """What Microsoft's language service says of each query."""
    [answer] = check_all([{"tables": tables, "functions": functions, "queries": queries}])
    return answer


def check_all(requests):
    """The same in several workspaces: the service takes seconds to start. It takes as long to find
    out the parser's columns, which are known."""
    for request in requests:
        known = {name: COLUMNS for name, body in request["functions"].items() if body == PARSER}
        request["functions"] = request["functions"] | known
    checked = subprocess.run(
        ["node", HERE / "check.js"],
        input=json.dumps(requests),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(checked.stdout)


class Workspace:
    """Tables as `{name: (columns with their types, rows)}`."""

    def __init__(self, tables):
        self.tables = {name: _stored(*table) for name, table in tables.items()}
        self._connection = duckdb_kql.connect()
        self._connection.execute("SET TimeZone='UTC'")
        for name, (columns, rows) in self.tables.items():
            self._fill(name, columns, rows)
        self._is_parsed = False

    def _fill(self, name, columns, rows):
        types = {column: DUCKDB[kind] for column, kind in columns.items()}
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
            file.flush()
            read = f"read_json('{file.name}', format='newline_delimited', columns={types})"
            self._connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM {read}')

    def _parse(self):
        """Queries take seconds less over the parser's result than over the parser."""
        sql = duckdb_kql.to_sql(
            runnable(self.tables), schema=duckdb_kql.engine.schema(self._connection)
        )
        self._connection.execute(f"CREATE TABLE ProofpointPOD AS {sql}")
        self._is_parsed = True

    def query(self, text):
        """The rows of a query's answer. A text that is missing is empty, as in Kusto."""
        if not self._is_parsed and re.search(r"\bProofpointPOD\b", text):
            self._parse()
        answer = duckdb_kql.query(self._connection, text)
        kinds = list(zip(answer.columns, map(str, answer.types)))
        return [
            {name: _value(kind, value) for (name, kind), value in zip(kinds, row)}
            for row in answer.fetchall()
        ]

    def second_opinions(self, queries):
        """The rows of each query's answer by the other interpreter."""
        request = {"tables": self.tables, "parser": runnable(self.tables), "queries": queries}
        answer = subprocess.run(
            ["node", HERE / "second_opinion.js", INTERPRETER],
            env=os.environ | {"NODE_PATH": str(HERE / "node_modules")},
            input=json.dumps(request),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        answers = []
        for answer in json.loads(answer.stdout):
            at_times = [column["n"] for column in answer["cols"] if column["t"] == "datetime"]
            answers.append(
                [row | {name: times.read(row[name]) for name in at_times} for row in answer["rows"]]
            )
        return answers


def _stored(columns, rows):
    """A table with its times in UTC, all of the same precision, and with those of ingestion."""
    columns = columns | {INGESTED: "datetime"}
    at_times = [column for column, kind in columns.items() if kind == "datetime"]
    rows = [{INGESTED: row["TimeGenerated"]} | row for row in rows]
    return columns, [
        row | {name: times.in_utc(row[name]) for name in at_times if row.get(name)} for row in rows
    ]


def _value(kind, value):
    if kind == "VARCHAR":
        return value or ""
    return json.loads(value) if kind == "JSON" and value is not None else value
