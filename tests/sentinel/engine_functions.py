"""Functions of Kusto that duckdb-kql does not have, as SQL."""

from duckdb_kql.translate import functions

SET = functions.AGGREGATE_FUNCTIONS["make_set"].template

AGGREGATES = {
    "make_set_if": (SET.replace("IS NOT NULL)", "IS NOT NULL AND ({1}))"), (2, 3)),
}


def register():
    """Makes the functions available to every query."""
    for name, (sql, arities) in AGGREGATES.items():
        functions.AGGREGATE_FUNCTIONS[name] = functions.AggregateSpec(name, sql, arities)
