"""Threat indicators of the workspace that match events of the cases."""

import datetime
import uuid

from rule_events import NOW, ago

# The columns of the table ThreatIntelIndicators that the rules read.
COLUMNS = {
    "TimeGenerated": "datetime",
    "Id": "string",
    "ObservableKey": "string",
    "ObservableValue": "string",
    "IsActive": "bool",
    "ValidUntil": "datetime",
    "Confidence": "long",
}

# The value that an indicator lists for an event. Its case differs, which must not matter.
VALUES = {
    "domain-name:value": "BAD.example",
    "email-addr:value": "{address}",
    "ipv4-addr:value": "{ip}",
    "ipv6-addr:value": "{ip}",
    "network-traffic:src_ref.value": "{ip}",
    "url:value": "HTTPS://shared.example/{name}/",
}

# Why an indicator is not valid.
FLAWS = ["expired", "withdrawn", "old", "of another kind"]


def of_event(event, address):
    """The rows of an event's indicator. `listed` is the kind of value that it lists, its flaw if it has
    one, and the value if it is not the usual one. It lists another, later observable of the same kind; a
    withdrawn indicator was active."""
    known, flaw, value = [*event["listed"], None, None][:3]
    values = {
        "address": address.upper(),
        "ip": event["event"].get("connection", {}).get("ip"),
        "name": address.split("@")[0],
    }
    row = {
        "TimeGenerated": ago(days=15 if flaw == "old" else 2),
        "Id": str(uuid.uuid4()),
        "ObservableKey": "mac-addr:value" if flaw == "of another kind" else known,
        "ObservableValue": (value or VALUES[known]).format(**values),
        "IsActive": flaw != "withdrawn",
        "ValidUntil": ago(days=1)
        if flaw == "expired"
        else (NOW + datetime.timedelta(days=1)).isoformat(),
        "Confidence": 80,
    }
    rows = [row, row | {"TimeGenerated": ago(days=1), "ObservableValue": f"another.{address}"}]
    if flaw == "withdrawn":
        rows.append(row | {"TimeGenerated": ago(days=3), "IsActive": True})
    return rows


def table(addressed):
    """The table for the events, which are given as (occurrence, address)."""
    return COLUMNS, [
        row for event, address in addressed if event["listed"] for row in of_event(event, address)
    ]
