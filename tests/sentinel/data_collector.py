"""The columns that the HTTP Data Collector API makes from a row: one per leaf, with a suffix for the
type."""

import json
import re

import times

# Objects at this depth become JSON text.
DEEPEST = 5

GUID = re.compile(r"[0-9a-f]{8}(-?)([0-9a-f]{4}\1){3}[0-9a-f]{12}$", re.IGNORECASE)

TYPES = {"s": "string", "g": "string", "d": "real", "b": "bool", "t": "datetime"}


def columns(row):
    """The columns of a row, including `TimeGenerated`."""
    row = dict(row)
    made = {"TimeGenerated": row.pop("TimeGenerated", row["eventTime"])}
    _flatten(row, "", 1, made)
    return made


def schema(rows):
    """The types of all columns of `rows`."""
    names = {name for row in rows for name in row} - {"TimeGenerated"}
    return {"TimeGenerated": "datetime"} | {name: TYPES[name[-1]] for name in sorted(names)}


def _flatten(members, prefix, depth, made):
    for key, value in members.items():
        name = prefix + re.sub(r"[^0-9A-Za-z]", "_", key)
        if isinstance(value, dict) and depth < DEEPEST:
            _flatten(value, f"{name}_", depth + 1, made)
        elif isinstance(value, (dict, list)):
            made[f"{name}_s"] = json.dumps(value, indent=2).replace("\n", "\r\n")
        elif isinstance(value, bool):
            made[f"{name}_b"] = value
        elif isinstance(value, (int, float)):
            made[f"{name}_d"] = float(value)
        elif isinstance(value, str) and value:
            time = times.in_utc(value)
            suffix = "t" if time else "g" if GUID.match(value) else "s"
            made[f"{name}_{suffix}"] = time or value
