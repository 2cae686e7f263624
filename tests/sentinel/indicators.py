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

# What an indicator knows, in letters of another case than the event's where that is no matter.
VALUES = {
    "domain-name:value": "BAD.example",
    "email-addr:value": "{ADDRESS}",
    "ipv4-addr:value": "198.51.100.7",
    "url:value": "HTTPS://shared.example/{name}",
}


def of_event(listed, address):
    """The indicator that `listed` names: one of those above, or one that no longer counts."""
    counts = listed in VALUES
    value = VALUES.get(listed, "{ADDRESS}").format(ADDRESS=address.upper(), name=address.split("@")[0])
    until = ago(days=1) if listed == "expired" else (NOW + datetime.timedelta(days=1)).isoformat()
    key = listed if counts else "email-addr:value"
    values = [ago(days=2), str(uuid.uuid4()), key, value, listed != "withdrawn", until, 80]
    return dict(zip(COLUMNS, values, strict=True))


def table(addressed):
    """The table for events, each as (occurrence, address)."""
    rows = [of_event(event["listed"], address) for event, address in addressed if event["listed"]]
    return COLUMNS, rows
