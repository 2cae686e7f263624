"""Rows that the connector writes about itself, in the forms of both APIs."""

import datetime
import itertools
import json

import data_collector
import times
from kql import INGESTED

TABLE = "ProofpointConnector_CL"

COLUMNS = {
    "TimeGenerated": "datetime",
    "RecordType": "string",
    "Source": "string",
    "Account": "string",
    "FeedType": "string",
    "ConnectorVersion": "string",
    "RunId": "string",
    "Outcome": "string",
    "Code": "string",
    "Reason": "string",
    "DurationSeconds": "real",
    "Events": "long",
    "Delivered": "long",
    "Duplicates": "long",
    "DeadLetters": "long",
    "DeadLetterReasons": "dynamic",
    "LagSeconds": "real",
    "NewestEvent": "datetime",
    "HoursDue": "long",
    "HoursLost": "long",
    "CallsUsed": "long",
    "CallsLeft": "long",
    "Hour": "datetime",
    "Completeness": "string",
    "Attempts": "long",
    "Live": "long",
    "Archive": "long",
    "Late": "long",
}

SECOND = datetime.timedelta(seconds=1)
HOUR = datetime.timedelta(hours=1)

# A row reaches the table this long after it was made.
ARRIVES = 40 * SECOND

_numbers = itertools.count()


def stamp(at):
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def feed(kind="message", account="acme_hosted"):
    """A feed's columns. The feed of a TAP account has the type `tap`."""
    return {"Source": "tap" if kind == "tap" else "pod", "Account": account, "FeedType": kind}


def run(of, at, outcome="up_to_date", arrived=None, **members):
    """What a run did for a feed that has caught up, unless the members say otherwise."""
    row = {
        "RecordType": "run",
        "ConnectorVersion": "0.2.0",
        "RunId": f"run {next(_numbers)}",
        "Outcome": outcome,
        "Code": "",
        "Reason": "",
        "DurationSeconds": 12.5,
        "Events": 0,
        "Delivered": 0,
        "Duplicates": 0,
        "DeadLetters": 0,
        "LagSeconds": 300.0,
        "NewestEvent": stamp(at - 300 * SECOND),
        "HoursDue": 0,
        "HoursLost": 0,
    }
    if of["Source"] == "tap":
        row |= {"CallsUsed": 336, "CallsLeft": 1464}
    return _row(of, at, arrived, row | members)


def failed(of, at, code, **members):
    """A run that failed for a feed."""
    said = {"Code": code, "Reason": f"{of['Account']}: it failed with {code}"}
    return run(of, at, "failed", **(said | members))


def hour(of, of_hour, at, delivered, completeness="proved", arrived=None, **members):
    """The state of an hour of which so many events were delivered, by default all of them live."""
    row = {
        "RecordType": "hour",
        "ConnectorVersion": "0.2.0",
        "RunId": f"run {next(_numbers)}",
        "Events": delivered,
        "Delivered": delivered,
        "Duplicates": 0,
        "DeadLetters": 0,
        "Hour": stamp(of_hour),
        "Completeness": completeness,
        "Attempts": 1,
        "Live": delivered,
        "Archive": 0,
        "Late": 0,
    }
    return _row(of, at, arrived, row | members)


def _row(of, at, arrived, members):
    return {"TimeGenerated": stamp(at), INGESTED: stamp(arrived or at + ARRIVES)} | of | members


def again(row, later=HOUR):
    """The same record, which arrives a second time."""
    return row | {INGESTED: stamp(times.read(row[INGESTED]) + later)}


def stored(shape, rows):
    """The table of a workspace with the rows."""
    if shape == "columns":
        return {TABLE: (COLUMNS, rows)}
    made = []
    for row in rows:
        # This API reserves the name of the time, and would make columns of an object's members.
        of_api = {name: value for name, value in row.items() if name != INGESTED}
        of_api["eventTime"] = of_api.pop("TimeGenerated")
        if "DeadLetterReasons" in row:
            of_api["DeadLetterReasons"] = json.dumps(row["DeadLetterReasons"])
        made.append(data_collector.columns(of_api) | {INGESTED: row[INGESTED]})
    names = [{name: row[name] for name in row if name != INGESTED} for row in made]
    return {TABLE: (data_collector.schema(names), made)}
