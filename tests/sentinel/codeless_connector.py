"""The rows that Microsoft's codeless connector makes from events: the columns of its data collection
rule, with the ingestion time as TimeGenerated."""

import times

MESSAGE = ["connection", "envelope", "pps", "msg", "guid", "metadata", "filter", "msgParts"]
MAILLOG = ["data", "id", "pps", "metadata", "sm", "tls"]

COLUMNS = {"ProofpointPODMessage_CL": MESSAGE, "ProofpointPODMailLog_CL": MAILLOG}


def kept(table, event):
    """The fields of an event that the rule keeps."""
    return {name: event[name] for name in ["ts", *COLUMNS[table]] if name in event}


def row(table, event, ingested):
    """The row of an event in a table."""
    columns = kept(table, event)
    return {"TimeGenerated": ingested, "eventTime": times.in_utc(columns.pop("ts", None))} | columns


def schema(table):
    """The columns of a table that the solution creates."""
    texts = {"guid", "id", "data"}
    types = {name: "string" if name in texts else "dynamic" for name in COLUMNS[table]}
    return {"TimeGenerated": "datetime", "eventTime": "datetime"} | types
