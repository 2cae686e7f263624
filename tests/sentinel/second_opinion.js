// Runs a query in another interpreter: node second_opinion.js kqlexec.cjs, with
// {tables: {name: [columns, rows]}, functions, query} as JSON on standard input. Prints the rows.
const { Engine } = require(process.argv[2]);

const { tables, functions, query } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const schemas = Object.fromEntries(Object.entries(tables).map(([name, [columns]]) => [name, columns]));
const engine = new Engine({ tables: schemas, functions }, { now: new Date().toISOString() });
for (const [name, [, rows]] of Object.entries(tables)) engine.load(name, rows);
process.stdout.write(JSON.stringify(engine.query(query)));
