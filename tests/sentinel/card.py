"""Events of several days, and what the sample queries of the connector card should show for them."""

import collections
import datetime
import json

import events
import times
from expected_columns import at
from kql import INGESTED
from panels import recipients
from test_parser import NAMES, TABLES, collected
from traffic import pick, present, stamp

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)

# One event every two hours and a bit, so that none is close to the limits of the queries.
STEP = datetime.timedelta(hours=2.3)
COUNT = 80
DELAY = datetime.timedelta(seconds=90)

MAILBOX = "someone@acme.example"
QUEUE = "5A0bX1000001"

read = times.read


def happened(number):
    return NOW - number * STEP - datetime.timedelta(minutes=30)


def message(number, **members):
    fields = {
        "qid": QUEUE if number == 3 else f"Q{number}",
        "disposition": pick(["discard", "continue", "discard", "accept", "reject"], number),
        "routeDirection": pick(["inbound", "inbound", "inbound", "outbound"], number),
        "quarantine": pick(
            [{"folder": "Phish", "rule": "phish"}, {}, {"folder": "Bulk", "rule": "bulk"}], number
        ),
        "actions": [{"module": "spam", "rule": "phish", "action": "discard", "isFinal": True}],
        "modules": {
            "spam": {
                "scores": {
                    "overall": number,
                    "classifiers": {"phish": pick([95, 90, 80], number // 2)},
                }
            }
        },
    }
    to = pick(
        [
            ["one@acme.example"],
            ["Someone@Acme.example", "one@acme.example"],
            ["awesomeone@acme.example"],
        ],
        number,
    )
    return events.message(
        f"guid {number}",
        ts=stamp(happened(number)),
        filter=fields,
        envelope={"from": f"sender{number}@partner.example", "rcpts": to},
        msg={
            "header": {
                "message-id": [f"<m{number}@partner.example>"],
                "subject": [f"subject {number}"],
            }
        },
        **members,
    )


def line(number, name, queue, later, sm):
    return {
        "id": f"{name} {number}",
        "ts": stamp(happened(number) + datetime.timedelta(seconds=later)),
        "data": f"{name} {number}",
        "metadata": {"origin": {"data": {"cid": "acme_hosted"}}},
        "sm": {"qid": queue} | sm,
        "tls": {},
    }


def lines(number):
    """The receipt of a message under its queue id, and its delivery under another queue id."""
    queue = QUEUE if number == 3 else f"Q{number}"
    dsn, stat = pick(
        [("2.0.0", "Sent"), ("4.4.1", "Deferred"), ("5.1.1", "User unknown"), (None, None)], number
    )
    msgid = {"msgid": f"<m{number}@partner.example>"}
    sent = present(
        {"dsn": dsn, "stat": stat, "relay": "mx.acme.example. [192.0.2.40]", "to": [f"<{MAILBOX}>"]}
    )
    return [
        line(number, "received", queue, 1, msgid | {"from": "<a@b.example>"}),
        line(number, "handed on", f"R{number}", 2, msgid | {"from": "<a@b.example>"}),
        line(number, "delivery", f"R{number}", 3, sent),
    ]


def audit(number):
    return {
        "guid": f"audit {number}",
        "ts": stamp(happened(number)),
        "metadata": {"origin": {"data": {"cid": "acme_hosted"}}},
        "audit": {
            "action": pick(["login", "create"], number),
            "level": "INFO",
            "resourceType": "authorization",
            "tags": [{"name": "eventDetails", "value": f"{number}"}],
            "user": {"email": "admin@acme.example", "ipAddress": "198.51.100.7"},
        },
    }


def events_of():
    numbers = range(COUNT)
    return {
        "message": list(map(message, numbers)),
        "maillog": [made for number in numbers for made in lines(number)],
        "audit": list(map(audit, numbers)),
    }


def tables(of_kinds):
    """Each event arrived 90 s after it happened, the older half of the messages through the legacy API."""
    made = {}
    for kind, of_kind in of_kinds.items():
        rows = events.rows(kind, "columns", [json.dumps(event) for event in of_kind])
        rows = [row | {"TimeGenerated": row["eventTime"]} for row in rows]
        made[NAMES[kind]] = TABLES[NAMES[kind]], rows
    older = [json.dumps(event) for event in of_kinds["message"][COUNT // 2 :]]
    columns, rows = collected(events.rows("message", "legacy", older))
    made["ProofpointPOD_message_CL"] = columns, rows
    del made[NAMES["message"]][1][COUNT // 2 :]
    for _, rows in made.values():
        for row in rows:
            row[INGESTED] = stamp(
                times.read(row["TimeGenerated"]).replace(tzinfo=datetime.UTC) + DELAY
            )
    return made


def time(event):
    return times.read(event["ts"])


def since(days, found):
    first = (NOW - datetime.timedelta(days=days)).replace(tzinfo=None)
    return sorted((event for event in found if time(event) > first), key=time, reverse=True)


def held(of_kinds):
    by_rule = collections.defaultdict(list)
    for found in since(1, of_kinds["message"]):
        quarantine = at(found, "filter/quarantine")
        if at(found, "filter/disposition") == "discard" and quarantine:
            by_rule[quarantine["folder"], quarantine["rule"]].append(found)
    rows = [
        {
            "Folder": folder,
            "Rule": rule,
            "Messages": len(found),
            "Recipients": len({to for message in found for to in recipients(message)}),
            "Last": max(map(time, found)),
        }
        for (folder, rule), found in by_rule.items()
    ]
    return sorted(rows, key=lambda row: (row["Messages"], row["Last"]), reverse=True)


def phish(found):
    return at(found, "filter/modules/spam/scores/classifiers/phish")


def phishing(of_kinds):
    passed = [
        found
        for found in since(1, of_kinds["message"])
        if at(found, "filter/routeDirection") == "inbound"
        and at(found, "filter/disposition") in ("continue", "accept")
        and phish(found) > 80
    ]
    rows = [
        shown(
            found,
            ["EventOriginalTime", "Sender", "SenderIp", "Recipients", "Subject", "QueueId", "Guid"],
        )
        | {"PhishScore": phish(found), "Urls": []}
        for found in passed
    ]
    return sorted(rows, key=lambda row: (row["PhishScore"], row["EventOriginalTime"]), reverse=True)


def shown(found, columns):
    """The given columns of a message's row."""
    row = {
        "EventOriginalTime": time(found),
        "Sender": at(found, "envelope/from"),
        "SenderIp": at(found, "connection/ip"),
        "Recipients": recipients(found),
        "Subject": found["msg"]["header"]["subject"][0],
        "Disposition": at(found, "filter/disposition"),
        "QuarantineFolder": at(found, "filter/quarantine/folder"),
        "FinalModule": "spam",
        "FinalRule": "phish",
        "SpamScore": at(found, "filter/modules/spam/scores/overall"),
        "QueueId": at(found, "filter/qid"),
        "Guid": found["guid"],
    }
    return {name: row[name] for name in columns}


def to_mailbox(of_kinds):
    columns = [
        "EventOriginalTime",
        "Sender",
        "SenderIp",
        "Subject",
        "Disposition",
        "QuarantineFolder",
    ]
    columns += ["FinalModule", "FinalRule", "SpamScore", "QueueId", "Guid"]
    return [
        shown(found, columns) | {"Recipient": to}
        for found in since(7, of_kinds["message"])
        for to in recipients(found)
        if to.lower() == MAILBOX
    ]


def trace(of_kinds):
    """The message and its mail log lines."""
    rows = [
        shown(found, ["EventOriginalTime", "QueueId", "Sender", "Recipients", "Disposition"])
        | {"EventType": "message"}
        for found in of_kinds["message"]
        if at(found, "filter/qid") == QUEUE
    ]
    for found in lines(3):
        sender = at(found, "sm/from")
        rows.append(
            {
                "EventOriginalTime": time(found),
                "EventType": "maillog",
                "QueueId": at(found, "sm/qid"),
                "Sender": sender and sender.strip("<>"),
                "Recipients": [to.strip("<>") for to in at(found, "sm/to") or []] or None,
                "Status": at(found, "sm/stat"),
                "Dsn": at(found, "sm/dsn"),
                "Relay": at(found, "sm/relay"),
                "Line": found["data"],
            }
        )
    return rows


def failures(of_kinds):
    by_reason = collections.defaultdict(list)
    for found in since(1, of_kinds["maillog"]):
        if (at(found, "sm/dsn") or "")[:1] in ("4", "5"):
            by_reason[at(found, "sm/dsn"), at(found, "sm/stat")].append(found)
    rows = [
        {"Dsn": dsn, "Status": status, "Attempts": len(found), "Last": max(map(time, found))}
        | {"Queues": len({at(attempt, "sm/qid") for attempt in found})}
        for (dsn, status), found in by_reason.items()
    ]
    return sorted(rows, key=lambda row: (row["Attempts"], row["Last"]), reverse=True)


def actions(of_kinds):
    return [
        {
            "EventOriginalTime": time(found),
            "User": at(found, "audit/user/email"),
            "SourceIp": at(found, "audit/user/ipAddress"),
            "Action": at(found, "audit/action"),
            "Level": at(found, "audit/level"),
            "ResourceType": at(found, "audit/resourceType"),
            "Tags": at(found, "audit/tags"),
        }
        for found in since(7, of_kinds["audit"])
    ]


def delays(of_kinds):
    rows = []
    for kind, of_kind in sorted(of_kinds.items()):
        found = since(1, of_kind)
        counts = {
            "Events": len(found),
            "Newest": max(map(time, found)),
            "MedianDelaySeconds": DELAY.total_seconds(),
        }
        rows.append({"EventType": kind, "ClusterId": "acme_hosted"} | counts)
    return rows


# In the order of the sample queries on the card.
SHOWN = [held, phishing, to_mailbox, trace, failures, actions, delays]
