"""Targeted Attack Protection: its functions, and a workspace that can call them with arguments."""

import functools
import json
import re

import duckdb_kql
import events
import parser_calls
from kql import HERE, ROOT, Workspace, check_all, load, runnable

FIXTURES = ROOT / "tests" / "fixtures" / "tap"

# The kinds of records, by the name of their array, and the tables for their rows.
KINDS = {
    "messagesDelivered": "MessagesDelivered",
    "messagesBlocked": "MessagesBlocked",
    "clicksPermitted": "ClicksPermitted",
    "clicksBlocked": "ClicksBlocked",
}
TABLES = {kind: f"ProofPointTAP{name}V2_CL" for kind, name in KINDS.items()}
LEGACY_TABLES = {kind: f"ProofPointTAP{name}_CL" for kind, name in KINDS.items()}
POLLER = "ProofpointTAPNativePoller_CL"

# The columns of the tables in a workspace.
COLUMNS = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))

FUNCTIONS = {
    name: load(f"parsers/{name}.yaml") for name in ["ProofpointTAPEvent", "ProofpointTAPThreats"]
}
BODIES = {name: of["FunctionQuery"] for name, of in FUNCTIONS.items()}
DEFAULTS = {
    each["Name"]: each["Default"] for each in FUNCTIONS["ProofpointTAPEvent"]["FunctionParams"]
}
PARAMETERS = ", ".join(
    f"{each['Name']}:{each['Type']}={each['Default']}"
    for each in FUNCTIONS["ProofpointTAPEvent"]["FunctionParams"]
)

CALL = re.compile(r"\b(ProofpointTAPEvent|ProofpointTAPThreats)\b(\()?")


def rows(kind, shape, records):
    """The connector's rows for records."""
    return events.rows(kind, shape, [json.dumps(each) for each in records])


def fixtures(kind):
    """The public samples of a kind."""
    name = re.sub("([A-Z])", r"_\1", kind).lower()
    return [json.loads(line) for line in events.read(FIXTURES / f"{name}.ndjson")]


def standalone(name, values=None):
    """The body of a function as a query, with the values of its parameters in it."""
    given = DEFAULTS | (values or {})
    return "".join(f"let {each} = {given[each]};\n" for each in DEFAULTS) + BODIES[name]


def tables():
    """The columns of every table that the functions name."""
    made = {name: COLUMNS[name] for name in TABLES.values()}
    return made | {
        name: {"TimeGenerated": "datetime"} for name in [*LEGACY_TABLES.values(), POLLER]
    }


@functools.cache
def checked_functions():
    """The functions for the language service: their columns and parameters."""
    made = {}
    for name in BODIES:
        asked = {"tables": tables(), "functions": dict(made), "queries": [standalone(name)]}
        [[found]] = check_all([asked])
        made[name] = {"columns": found["columns"], "parameters": f"({PARAMETERS})"}
    return made


class SecondInterpreter:
    """Queries in the second interpreter, which runs the functions itself."""

    def __init__(self, tables, now=None):
        self._workspace = TapWorkspace(tables, now)

    def query(self, queries):
        """The rows of each query's result."""
        asked = [parser_calls.written(*self._workspace.called(text)) for text in queries]
        return self._workspace.query_second_interpreter(list(map(self._inlined, asked)))

    def _inlined(self, text):
        """The query with a function of its own in place of each call."""
        number = 0
        while found := CALL.search(text):
            given, end = _given(text, found)
            name = f"Called{number}"
            start = text.rfind(";\n", 0, found.start()) + 2 if ";\n" in text[: found.start()] else 0
            text = "".join(
                [
                    text[:start],
                    self._defined(name, found[1], given),
                    text[start : found.start()],
                    f"{name}()",
                    text[end:],
                ]
            )
            number += 1
        return text

    def _defined(self, name, function, given):
        """The definition of a function without parameters."""
        body = runnable(self._workspace.tables, standalone(function, given))
        before = ""
        if function == "ProofpointTAPThreats":
            # Its parameters are passed on.
            inner = f"{name}Records"
            before = self._defined(inner, "ProofpointTAPEvent", given)
            found = CALL.search(body)
            body = f"{body[: found.start()]}{inner}(){body[_given(body, found)[1] :]}"
        return f"{before}let {name} = () {{\n{body}\n}};\n"


def _given(text, found):
    """The arguments of a call, by name, and where it ends."""
    return parser_calls.arguments(text, found.end() - 1) if found[2] else ({}, found.end())


class TapWorkspace(Workspace):
    """A workspace with the functions. What a call returns is stored in a table."""

    def __init__(self, tables, now=None):
        super().__init__(tables, now)
        self._returned = {}

    def called(self, text):
        """The query with what `ProofpointPOD` returned in place of each call with arguments."""
        return self._called(text) if "ProofpointPOD(" in text else (text, {})

    def _answer(self, text, values):
        return super()._answer(self._resolved(text), values)

    def _resolved(self, text):
        """The query with a table in place of each call."""
        while found := CALL.search(text):
            given, end = _given(text, found)
            before = text[: text.rfind(";\n", 0, found.start()) + 1]
            values = {name: self._literal(before, value) for name, value in given.items()}
            text = f"{text[: found.start()]}{self._table(found[1], values)}{text[end:]}"
        return text

    def _literal(self, before, value):
        """The value of an argument, which can use what is defined before."""
        if value == "now()" or re.fullmatch(r"ago\(\w+\)", value):
            [row] = super().query(f"print Value = {value}")
            return f"datetime({row['Value'].isoformat()})"
        if re.match(r"(datetime|dynamic)\(", value):
            return value
        [row] = super().query(f"{before}\nprint Value = {value}")
        return f"dynamic({json.dumps(row['Value'])})"

    def _table(self, function, values):
        """The table with what a call returns."""
        key = function, json.dumps(values, sort_keys=True)
        if key not in self._returned:
            body = standalone(function, values)
            if function == "ProofpointTAPThreats":
                body = self._resolved_in_body(body, values)
            self._returned[key] = f"Returned{len(self._returned)}"
            self._store(self._returned[key], body)
        return self._returned[key]

    def _resolved_in_body(self, body, values):
        """The body with the table of the call in it."""
        found = CALL.search(body)
        _, end = _given(body, found)
        return f"{body[: found.start()]}{self._table(found[1], values)}{body[end:]}"

    def _store(self, name, body):
        schema = duckdb_kql.engine.schema(self._connection)
        text = runnable(self.tables, body)
        sql = duckdb_kql.to_sql(text, schema=schema, query_now=self.now)
        self._connection.execute(f"CREATE TABLE {name} AS {sql}")
