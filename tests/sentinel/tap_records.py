"""Hand-written records of Targeted Attack Protection, and tables with them."""

import datetime
import uuid

import data_collector
import tap
import times
from kql import INGESTED

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def ago(**duration):
    """A time in the form that Proofpoint writes."""
    at = NOW - datetime.timedelta(**duration)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def unique():
    return str(uuid.uuid4())


def threat(classification="phish", kind="url", status="active", at=None, **members):
    """A threat of a message."""
    value = {"url": "https://bad.example/login", "attachment": "cd" * 32}.get(
        kind.lower(), "{sender}"
    )
    found = {
        "threatID": "ab" * 32,
        "threatStatus": status,
        "classification": classification,
        "threatUrl": "https://threatinsight.proofpoint.com/a/threat/email/ab",
        "threatTime": at or ago(minutes=2),
        "threat": value,
        "campaignID": None,
        "actors": [],
        "threatType": kind,
    }
    return found | members


def message(array="messagesDelivered", threats=(), at=None, arrived=None, **members):
    """A record of a message that has just arrived, for the cases of rules: `{sender}` stands for the
    address of the case, and `{guid}` for a GUID of its own."""
    record = {
        "spamScore": 10,
        "phishScore": 20,
        "impostorScore": 0.5,
        "malwareScore": 30,
        "threatsInfoMap": list(threats),
        "messageTime": at or ago(minutes=5),
        "cluster": "acme_hosted",
        "subject": "About {sender}",
        "quarantineFolder": None,
        "quarantineRule": None,
        "policyRoutes": ["default_inbound"],
        "modulesRun": ["spam", "urldefense"],
        "messageSize": 3102,
        "headerFrom": '"A Name" <{sender}>',
        "headerReplyTo": None,
        "fromAddress": ["{sender}"],
        "ccAddresses": [],
        "replyToAddress": [],
        "toAddresses": ["one@acme.example"],
        "xmailer": "Mailer 1.0",
        "messageParts": [],
        "completelyRewritten": False,
        "id": unique(),
        "QID": "4a1b2c",
        "GUID": "{guid}",
        "sender": "{sender}",
        "recipient": ["one@acme.example"],
        "senderIP": "192.0.2.20",
        "messageID": "<{guid}@mail.example>",
    }
    return {"array": array, "record": record | members, "arrived": arrived or ago(seconds=1)}


def click(array="clicksPermitted", classification="phish", at=None, arrived=None, **members):
    """A record of a click that has just arrived."""
    record = {
        "url": "https://bad.example/login",
        "classification": classification,
        "clickTime": at or ago(minutes=4),
        "threatTime": ago(minutes=3),
        "userAgent": "Mozilla/5.0",
        "campaignId": None,
        "id": unique(),
        "clickIP": "198.51.100.7",
        "sender": "{sender}",
        "recipient": "one@acme.example",
        "senderIP": "192.0.2.20",
        "GUID": "{guid}",
        "threatID": "ab" * 32,
        "threatURL": "https://threatinsight.proofpoint.com/a/threat/email/ab",
        "threatStatus": "active",
        "messageID": "<{guid}@mail.example>",
    }
    return {"array": array, "record": record | members, "arrived": arrived or ago(seconds=1)}


def blocked(threats=(), **members):
    return message("messagesBlocked", threats, **members)


def legacy_table(of_connector):
    """The table that the HTTP Data Collector API makes from rows with arrivals."""
    made = [
        data_collector.columns({name: row[name] for name in row if name != INGESTED})
        | {INGESTED: row[INGESTED]}
        for row in of_connector
    ]
    columns = data_collector.schema(
        [{name: value for name, value in row.items() if name != INGESTED} for row in made]
    )
    return columns, made


def arrived_rows(shape, array, occurrences):
    """The connector's rows, each with its arrival."""
    made = tap.rows(array, shape, [each["record"] for each in occurrences])
    return [
        row | {INGESTED: times.in_utc(each["arrived"])}
        for row, each in zip(made, occurrences, strict=True)
    ]


def stored(shape, occurrences):
    """The tables of a workspace with records."""
    tables = {}
    for array in tap.KINDS:
        of_array = [each for each in occurrences if each["array"] == array]
        if of_array:
            made = arrived_rows(shape, array, of_array)
            if shape == "legacy":
                tables[tap.LEGACY_TABLES[array]] = legacy_table(made)
            else:
                name = tap.TABLES[array]
                tables[name] = (tap.COLUMNS[name], made)
    return tables
