"""Makes the results of two interpreters comparable."""

import datetime
import re

import panels


def plain(value):
    """A value to compare, because sets come in any order."""
    return sorted(value) if isinstance(value, list) else value


def assert_largest(case, shown, expected, limit, column):
    """Asserts that the rows shown are the expected ones, or those with the largest values of the column if
    there are more than the limit."""
    plain_shown, plain_expected = (list(map(panels.plain, rows)) for rows in (shown, expected))
    if len(expected) <= limit:
        case.assertCountEqual(plain_shown, plain_expected)
        return
    case.assertLessEqual(set(plain_shown), set(plain_expected))
    largest = sorted((row[column] for row in expected), reverse=True)[:limit]
    case.assertEqual([row[column] for row in shown], largest)


def assert_engines_agree(case, queries, destinations):
    """Asserts that both interpreters give the same rows for each rule's query, whatever the destination."""
    for destination in destinations:
        both = [
            case.answers[destination, engine] for engine in ("duckdb-kql", "another interpreter")
        ]
        for name, *answers in zip(queries, *both, strict=True):
            with case.subTest(destination=destination, rule=name):
                case.assertCountEqual(*(comparable(queries[name], answer) for answer in answers))


def comparable(query, answer):
    """The rows of a query's result as text that is the same for both interpreters."""
    # The smallest number of elements at which the query truncates a set.
    limits = [int(size) for size in re.findall(r"make_set_if\([^\n]+?, (\d+)\)", query)]
    limit = min(limits, default=None)
    return [
        panels.plain({name: _between_engines(value, limit) for name, value in row.items()})
        for row in answer
    ]


def _between_engines(value, limit):
    """One interpreter stores times in fractions of a millisecond. From a set that is truncated, one
    keeps some of the elements, and the other keeps all."""
    if isinstance(value, datetime.datetime):
        return round(value.timestamp(), 2)
    if isinstance(value, list) and limit and len(value) >= limit:
        return limit
    return plain(value)
