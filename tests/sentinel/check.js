// Checks queries with Microsoft's Kusto language service. Reads a list of {tables, functions, queries}
// as JSON from standard input and prints, for each query, its diagnostics and its result's columns.
// A function is its text, or the known columns of its result and its parameters.
require("@kusto/language-service-next/bridge.min.js"); // defines Bridge and System
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js"); // defines Kusto
const { KustoCode, GlobalState, Symbols, Editor } = globalThis.Kusto.Language;
const { DatabaseSymbol, FunctionSymbol, Parameter, TableSymbol } = Symbols;

function list(items) {
  return Array.from({ length: items.Count }, (_, position) => items.getItem(position));
}

function table(name, columns) {
  const schema = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`);
  return new TableSymbol.$ctor7(name, `(${schema.join(", ")})`, null);
}

// Functions can use the tables and the functions before them.
function workspace({ tables, functions }) {
  const members = Object.entries(tables).map(([name, columns]) => table(name, columns));
  const globals = () =>
    GlobalState.Default.WithDatabase(new DatabaseSymbol.ctor("workspace", members));
  for (const [name, body] of Object.entries(functions)) {
    const isText = typeof body === "string";
    const result = isText
      ? KustoCode.ParseAndAnalyze(body, globals()).ResultType
      : table(name, body.columns);
    if (!Bridge.is(result, TableSymbol)) throw new Error(`${name} does not return a table`);
    const parameters = isText ? [] : list(Parameter.ParseList(body.parameters));
    members.push(new FunctionSymbol.$ctor5(name, result, parameters));
  }
  return globals();
}

function line(text, position) {
  return text.slice(0, position).split("\n").length;
}

function check(text, globals) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const advice = new Editor.KustoCodeService.ctor(code).GetAnalyzerDiagnostics(true);
  const diagnostics = [...list(code.GetDiagnostics()), ...list(advice)].map((found) => {
    const at = found.HasLocation ? `line ${line(text, found.Start)}: ` : "";
    return `${at}${found.Severity} ${found.Code}: ${found.Message}`;
  });
  const result = code.ResultType;
  const isTable = result && Bridge.is(result, TableSymbol);
  return {
    diagnostics,
    // The service then accepts any column name in the query.
    open: Boolean(isTable && result.IsOpen),
    columns: isTable
      ? Object.fromEntries(list(result.Columns).map((column) => [column.Name, column.Type.Name]))
      : {},
  };
}

const requests = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const answers = requests.map((request) => {
  const globals = workspace(request);
  return request.queries.map((query) => check(query, globals));
});
process.stdout.write(JSON.stringify(answers));
