"""Functions that queries call with arguments, in a workspace that has no functions: what a call returns is
stored in a table, and the second interpreter gets the function's text in place of each call."""

import functools
import json
import re

import duckdb_kql
import parser_calls
from kql import Workspace, check_all, load, runnable


class Functions:
    """Functions of the content, each of which may call those before it."""

    def __init__(self, *names):
        self._files = {name: load(f"parsers/{name}.yaml") for name in names}
        self.call = re.compile(rf"\b({'|'.join(names)})\b(\()?")

    def __iter__(self):
        return iter(self._files)

    def text(self, name):
        return self._files[name]["FunctionQuery"]

    def body(self, name):
        """The text without comments, which can name functions."""
        return re.sub(r"(?m)^ *//.*\n", "", self.text(name))

    def parameters(self, name):
        """The parameters as Kusto declares them."""
        listed = self._files[name]["FunctionParams"]
        return ", ".join(f"{each['Name']}:{each['Type']}={each['Default']}" for each in listed)

    def types(self, name):
        return {each["Name"]: each["Type"] for each in self._files[name]["FunctionParams"]}

    def declared(self, name, values):
        """Statements that give each parameter its value, or its default."""
        listed = self._files[name]["FunctionParams"]
        given = {each["Name"]: values.get(each["Name"], each["Default"]) for each in listed}
        return "".join(f"let {parameter} = {value};\n" for parameter, value in given.items())

    def standalone(self, name, values=None):
        """The body of a function as a query, with the values of its parameters in it."""
        return self.declared(name, values or {}) + self.body(name)

    def given(self, text, found):
        """The arguments of a call, by name, and where it ends."""
        if not found[2]:
            return {}, found.end()
        return parser_calls.arguments(text, found.end() - 1)

    def checked(self, tables):
        """The functions for the language service: their columns and parameters."""
        made = {}
        for name in self:
            request = {
                "tables": tables,
                "functions": dict(made),
                "queries": [self.standalone(name)],
            }
            [[found]] = check_all([request])
            made[name] = {"columns": found["columns"], "parameters": f"({self.parameters(name)})"}
        return made


@functools.cache
def of_connector():
    """The functions over what the connector says of itself."""
    return Functions("ProofpointConnector", "ProofpointReconciliation")


@functools.cache
def _translated(text, schema):
    """A query as SQL. Workspaces with the same tables share it, because a translation takes time."""
    return str(duckdb_kql.to_sql(text, schema=json.loads(schema)))


class FunctionWorkspace(Workspace):
    """A workspace with functions."""

    def __init__(self, functions, tables, now=None):
        super().__init__(tables, now)
        self._functions = functions
        self._returned = {}

    def _answer(self, text, values):
        return super()._answer(self._resolved(text), values)

    def forget(self):
        super().forget()
        for table in self._returned.values():
            self._connection.execute(f"DROP TABLE {table}")
        self._returned = {}

    def _resolved(self, text):
        """The query with a table in place of each call."""
        while found := self._functions.call.search(text):
            given, end = self._functions.given(text, found)
            before = text[: text.rfind(";\n", 0, found.start()) + 1]
            types = self._functions.types(found[1])
            values = {
                name: self._literal(types[name], before, value) for name, value in given.items()
            }
            text = f"{text[: found.start()]}{self._table(found[1], values)}{text[end:]}"
        return text

    def _literal(self, kind, before, value):
        """The value of an argument, which can use what is defined before."""
        if value.startswith(f"{kind}("):
            return value
        defined = re.findall(r"(?m)^\s*let (\w+) =", before)
        if not any(re.search(rf"\b{name}\b", value) for name in defined):
            before = ""
        [row] = super().query(f"{before}\nprint Value = {value}")
        found = row["Value"]
        if kind == "datetime":
            return f"datetime({found.isoformat() if found else 'null'})"
        return f"dynamic({json.dumps(found)})" if kind == "dynamic" else str(found)

    def _table(self, function, values):
        """The table with what a call returns."""
        key = function, self.now, json.dumps(values, sort_keys=True)
        if key not in self._returned:
            body = self._resolved(self._functions.standalone(function, values))
            self._returned[key] = f"Returned{len(self._returned)}"
            # A stored table takes no parameters, which is what the engine makes of the time.
            now = f"datetime({self.now.isoformat()})"
            text = re.sub(r"\bago\((\w+)\)", rf"({now} - \1)", runnable(self.tables, body))
            sql = _translated(text, json.dumps(duckdb_kql.engine.schema(self._connection)))
            self._connection.execute(f"CREATE TABLE {self._returned[key]} AS {sql}")
        return self._returned[key]

    def opinions(self, queries):
        """The rows of each query's result from the second interpreter, which runs the functions itself."""
        asked = [
            parser_calls.written(*self._called(text)) if "ProofpointPOD(" in text else text
            for text in queries
        ]
        return self.query_second_interpreter(list(map(self._inlined, asked)))

    def _inlined(self, text):
        """The query with a function of its own in place of each call."""
        number = 0
        while found := self._functions.call.search(text):
            given, end = self._functions.given(text, found)
            name = f"Called{number}"
            start = text.rfind(";\n", 0, found.start()) + 2 if ";\n" in text[: found.start()] else 0
            defined = self._defined(name, found[1], given)
            call = f"{text[start : found.start()]}{name}()"
            text = f"{text[:start]}{defined}{call}{text[end:]}"
            number += 1
        return text

    def _defined(self, name, function, given):
        """The definition of a function without parameters."""
        body, before = self._functions.body(function), ""
        while found := self._functions.call.search(body):
            passed, end = self._functions.given(body, found)
            # What is passed on has the value that the function itself was given.
            values = {each: given[value] for each, value in passed.items() if value in given}
            inner = f"{name}Inner"
            before = self._defined(inner, found[1], values)
            body = f"{body[: found.start()]}{inner}(){body[end:]}"
        statements = self._functions.declared(function, given) + body
        return f"{before}let {name} = () {{\n{runnable(self.tables, statements)}\n}};\n"
