"""What panels of the workbook should show of events, worked out without KQL."""

import collections
import re

import times
from expected import at


def key(message):
    return message.get("guid") or message["filter"]["qid"]


def cluster(event):
    return at(event, "metadata/origin/data/cid") or at(event, "pps/cid") or "unknown"


def direction(message):
    return at(message, "filter/routeDirection") or "unknown"


def folder(message):
    return at(message, "filter/quarantine/folder") or ""


def outcome(message):
    disposition, quarantined = at(message, "filter/disposition"), bool(folder(message))
    passed = "passed on, copy in quarantine" if quarantined else "passed on"
    return {
        None: "unknown",
        "discard": "held in quarantine" if quarantined else "discarded",
        "reject": "rejected",
        "retry": "put off (retry)",
        "accept": passed,
        "continue": passed,
    }[disposition]


def final(message):
    found = next((action for action in at(message, "filter/actions") if action.get("isFinal")), {})
    return found.get("action", "none named"), found.get("module", ""), found.get("rule", "")


def hour(event):
    return times.read(event["ts"]).replace(minute=0, second=0, microsecond=0)


def counted(messages, *columns, name="Messages", **of):
    """Rows of the columns with the number of different messages, where `of` gives a message's value,
    or its values as a list."""
    found = collections.defaultdict(set)
    for message in messages:
        keys = [()]
        for column in of.values():
            values = column(message)
            keys = [(*made, value) for made in keys for value in (values if isinstance(values, list) else [values])]
        for made in keys:
            found[made].add(key(message))
    return [dict(zip(of, made)) | {name: len(keys)} for made, keys in found.items()]


def is_inbound(message):
    return direction(message) == "inbound"


def overview_final(messages):
    rows = counted(messages, final=final)
    return [dict(zip(["Action", "Module", "Rule"], row["final"])) | {"Messages": row["Messages"]} for row in rows]


def country(message):
    found = at(message, "connection/country")
    return "unknown" if found in (None, "**") else found


MESSAGES = {
    "overview-direction": lambda m: counted(m, Tile=lambda one: ["all", direction(one)]),
    "overview-outcome": lambda m: counted(m, Outcome=outcome),
    "overview-outcome-time": lambda m: counted(m, EventOriginalTime=hour, Outcome=outcome),
    "overview-direction-time": lambda m: counted(m, EventOriginalTime=hour, Direction=direction),
    "overview-final": overview_final,
    "overview-dmarc": lambda m: counted(
        [one for one in m if direction(one) in ("inbound", "unknown")],
        Dmarc=lambda one: at(one, "filter/modules/dmarc/filterdResult") or "no result",
    ),
    "overview-classifier": lambda m: counted(
        [one for one in m if at(one, "filter/modules/spam/triggeredClassifier")],
        SpamType=lambda one: at(one, "filter/modules/spam/triggeredClassifier"),
    ),
    "overview-senders": lambda m: counted(m, Sender=lambda one: one["envelope"]["from"] or "none or unknown"),
    "overview-recipients": lambda m: counted(m, Recipient=lambda one: one["envelope"]["rcpts"]),
    "overview-countries": lambda m: counted(filter(is_inbound, m), Country=country),
}

# Panels that show no more rows than these.
LIMITS = {"overview-final": 25, "overview-senders": 10, "overview-recipients": 10, "overview-countries": 10}
