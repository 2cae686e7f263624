"""Indicators of the workspace's threat intelligence that know what events of the cases hold."""

import datetime
import uuid

from occurring import NOW, ago

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

# What an indicator knows of an event, in letters of another case, which is no matter.
VALUES = {
    "domain-name:value": "BAD.example",
    "email-addr:value": "{address}",
    "ipv4-addr:value": "{ip}",
    "ipv6-addr:value": "{ip}",
    "network-traffic:src_ref.value": "{ip}",
    "url:value": "HTTPS://shared.example/{name}/",
}

# Why an indicator does not count.
FLAWS = ["expired", "withdrawn", "old", "of another kind"]


def of_event(event, address):
    """The rows of an event's indicator: `listed` is what it knows, and its flaw where it has one. It
    knows another observable of the kind, from later on; one that was withdrawn was active before."""
    known, *flaw = event["listed"]
    flaw = flaw[0] if flaw else ""
    values = {
        "address": address.upper(),
        "ip": event["event"].get("connection", {}).get("ip"),
        "name": address.split("@")[0],
    }
    row = {
        "TimeGenerated": ago(days=15 if flaw == "old" else 2),
        "Id": str(uuid.uuid4()),
        "ObservableKey": "mac-addr:value" if flaw == "of another kind" else known,
        "ObservableValue": VALUES[known].format(**values),
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
    """The table for events, each as (occurrence, address)."""
    return COLUMNS, [
        row for event, address in addressed if event["listed"] for row in of_event(event, address)
    ]
