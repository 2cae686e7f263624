"""Calls of the parser with arguments: what it returns is stored in a table, because that makes each
query seconds faster."""

import datetime
import json
import re

import duckdb_kql
import kql

# A call, with or without arguments.
CALL = re.compile(r"\bProofpointPOD\b(\()?")

NAME = re.compile(r"[A-Za-z_]\w*")

# Holds what the calls returned, and by its first column for which of them.
TABLE = "ReturnedByParser"
NUMBER = "CallNumber"


def arguments(text, start):
    """The arguments of the call whose parenthesis is at `start`, by name, and where the call ends."""
    depth, begin, found = 0, start + 1, []
    for at in range(start, len(text)):
        if text[at] in "([":
            depth += 1
        elif text[at] in ")]":
            depth -= 1
        if depth == 0 or (depth == 1 and text[at] == ","):
            found.append(text[begin:at])
            begin = at + 1
        if depth == 0:
            named = (each.split("=", 1) for each in found)
            return {name.strip(): value.strip() for name, value in named}, at + 1
    raise ValueError(f"the call does not end: {text[start:]}")


def resolved(text, answer, returned):
    """The query with its calls resolved, and the values of the parameters that it then has. `answer` runs
    a query without calls, and `returned` gives the number and the ids of a call with these values."""
    resolved_values = {}
    while found := CALL.search(text):
        given, end = arguments(text, found.end() - 1) if found[1] else ({}, found.end())
        values = {}
        if given:
            # Arguments can use what is defined before the statement.
            before = text[: text.rfind(";\n", 0, found.start()) + 1]
            names = NAME.findall(" ".join(given.values()))
            if not any(re.search(rf"\b{name}\b", before) for name in names):
                before = ""
            printed = ", ".join(f"{name} = {value}" for name, value in given.items())
            used = {name: value for name, value in resolved_values.items() if name in before}
            [values] = answer(f"{before}\nprint {printed}", used)
        count = len(resolved_values) // 2
        resolved_values[f"Call{count}"], resolved_values[f"Ids{count}"] = returned(values)
        rows = f"{TABLE} | where {NUMBER} == Call{count}"
        if "ids" in given:
            rows += f" and EventOriginalUid in (Ids{count})"
        text = f"{text[: found.start()]}{rows} | project-away {NUMBER}{text[end:]}"
    return text, resolved_values


def declared(values):
    """The declaration of the parameters of a resolved query."""
    types = {name: "long" if name.startswith("Call") else "dynamic" for name in values}
    listed = ", ".join(f"{name}:{kind}" for name, kind in types.items())
    return f"declare query_parameters({listed});\n" if values else ""


def written(text, values):
    """A resolved query with the values of its parameters in it."""
    lets = [
        f"let {name} = {value};\n"
        if name.startswith("Call")
        else f"let {name} = dynamic({json.dumps(value)});\n"
        for name, value in values.items()
    ]
    return "".join(lets) + text


def translated(text, schema, marks, now=None):
    """A query as SQL, and which placeholder stands for which parameter. `marks` has a value of its own for
    each parameter; one that is not used has no placeholder."""
    sql = duckdb_kql.to_sql(text, schema=schema, parameters=marks, query_now=now)
    by_value = {str(value): slot for slot, value in sql.parameters.items()}
    slots = {name: by_value[str(mark)] for name, mark in marks.items() if str(mark) in by_value}
    return sql, slots


class ParserCalls:
    """The parser over the tables of a connection."""

    def __init__(self, connection, parser):
        self._connection = connection
        self._numbers = {}
        self._prepare(parser)

    def _prepare(self, parser):
        """Plans the parser once. A new table would make the engine plan it again."""
        columns = {NUMBER: "BIGINT"} | {name: kql.DUCKDB[of] for name, of in kql.COLUMNS.items()}
        listed = ", ".join(f'"{name}" {of}' for name, of in columns.items())
        schema = duckdb_kql.engine.schema(self._connection)
        # Values that tell which placeholder stands for which parameter.
        marks = {
            name: json.dumps([name])
            if of == "dynamic"
            else datetime.datetime(2000 + number, 1, 1)
            if of == "datetime"
            else name
            for number, (name, of) in enumerate(kql.PARAMETER_TYPES.items())
        }
        head = f"declare query_parameters({kql.PARAMETERS});\n"
        sql, self._slots = translated(head + parser, schema, marks)
        self._connection.execute(f"CREATE TABLE {TABLE} ({listed})")
        self._connection.execute(
            f"PREPARE parse AS INSERT INTO {TABLE} BY NAME"
            f" SELECT CAST($number AS BIGINT) AS {NUMBER}, * FROM ({sql})"
        )

    def returned(self, values):
        """The number of what the parser returns for the values of its arguments, and the ids to select.
        Calls that differ only in the ids share a run: events with an id are grouped by it."""
        shared = {name: value for name, value in values.items() if name != "ids"}
        key = json.dumps(shared, default=str, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            # Nothing has one of no words.
            if values.get("words") != []:
                self.run(self._numbers[key], shared)
        return self._numbers[key], values.get("ids", [])

    def forget(self):
        """The tables have changed since."""
        self._numbers = {}
        self._connection.execute(f"DELETE FROM {TABLE}")

    def run(self, number, values):
        """Runs the parser with these values of its arguments, and stores under the number what it returns."""
        values = {"ids": ["*"], "words": ["*"], "disposition": "*"} | values
        given = [
            f"{slot} := {_literal(kql.PARAMETER_TYPES[name], values.get(name))}"
            for name, slot in self._slots.items()
        ]
        self._connection.execute(f"EXECUTE parse({', '.join([f'number := {number}', *given])})")

    def table(self):
        """The table with what the calls returned, as a workspace has it."""
        columns = {NUMBER: "long"} | kql.COLUMNS
        names = ", ".join(f'"{name}"' for name in columns)
        rows = self._connection.execute(f"SELECT {names} FROM {TABLE}").fetchall()
        kinds = columns.values()
        return {
            TABLE: (
                columns,
                [dict(zip(columns, map(_plain, kinds, row), strict=True)) for row in rows],
            )
        }


def _literal(kind, value):
    if value is None:
        return f"CAST(NULL AS {kql.DUCKDB[kind]})"
    if kind == "datetime":
        return f"TIMESTAMP '{value}'"
    text = json.dumps(value) if kind == "dynamic" else value
    return "'" + text.replace("'", "''") + "'"


def _plain(kind, value):
    """A value as the other interpreter takes it."""
    if isinstance(value, datetime.datetime):
        return f"{value.isoformat()}Z"
    return json.loads(value) if kind == "dynamic" and value is not None else value
