"""Functions of Kusto that duckdb-kql does not have or has only for ASCII, as SQL."""

from duckdb_kql import translate
from duckdb_kql.translate import functions

SET = functions.AGGREGATE_FUNCTIONS["make_set"].template

AGGREGATES = {
    "make_set_if": (SET.replace("IS NOT NULL)", "IS NOT NULL AND ({1}))"), (2, 3)),
}

# A prefix ends with a dot or is a whole address. The queries call it on columns with one address.
PREFIX = "(t = {0} OR (ends_with(t, '.') AND starts_with({0}, t)))"

# Text that is not JSON stays text, as in Kusto. The text is named once, because it can be a long expression.
PARSED = (
    "list_transform([{0}], lambda _text: CASE WHEN _text = '' THEN NULL"
    " ELSE coalesce(TRY_CAST(_text AS JSON), to_json(CAST(_text AS VARCHAR))) END)[1]"
)

# Text that cannot be decoded gives nothing from base64, as in Kusto.
SCALARS = {
    "base64_decode_tostring": ("coalesce(TRY(decode(from_base64({0}))), '')", (1,)),
    "has_any_ipv4_prefix": (
        f"COALESCE(len(list_filter(CAST({{1}} AS VARCHAR[]), lambda t: {PREFIX})) > 0, FALSE)",
        (2,),
    ),
    "parse_json": (PARSED, (1,)),
    "todynamic": (PARSED, (1,)),
    "range": ("to_json(generate_series(CAST({0} AS BIGINT), CAST({1} AS BIGINT)))", (2,)),
    "url_decode": ("coalesce(TRY(url_decode({0})), {0})", (1,)),
}


def _found_term(haystack, needle, **options):
    """The condition that text has a word. A word of a list is looked for as any text first, because the
    engine compiles a pattern anew for each word in each row."""
    matched = functions.term_match_sql(haystack, needle, **options)
    if needle != "t":
        return matched
    contains = f"contains(lower({haystack}), lower({needle}))"
    return f"(CASE WHEN {contains} THEN {matched} ELSE {contains} END)"


def register():
    """Makes the functions available to every query."""
    translate.term_match_sql = _found_term
    for name, (sql, arities) in SCALARS.items():
        functions.SCALAR_FUNCTIONS[name] = functions.FunctionSpec(
            name, "template", sql, arities, ()
        )
    for name, (sql, arities) in AGGREGATES.items():
        functions.AGGREGATE_FUNCTIONS[name] = functions.AggregateSpec(name, sql, arities)
