"""Several hours of varied mail, to test the workbook's panels with."""

import datetime
import json

import codeless_connector
import events
import times
from kql import INGESTED
from test_parser import NAMES, TABLES, collected

# A column that workspaces add: the billed bytes of a row.
BILLED = "_BilledSize"

FIRST = datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.UTC)
HOURS = 6
# Nothing happens in this hour.
QUIET = 3
# A message without a Message-ID.
UNNAMED = 44
# The time at which other connectors delivered their events.
AFTERWARDS = "2026-11-20T15:59:00Z"

CLUSTERS = ["acme_hosted", "acme_hosted", "other_hosted", None]
DIRECTIONS = ["inbound", "outbound", "inbound", "internal", None]
DISPOSITIONS = ["continue", "accept", "discard", "reject", "retry", "discard", None]
FOLDERS = ["Spam", None, None, "Audit", "", None, None, "Phish", "Spam", None, None]
TLS = [
    {"version": "TLSv1.2", "cipher": "ECDHE-RSA-AES128-GCM-SHA256", "cipherBits": 128},
    {"version": "NONE"},
    None,
]
TLS += [{"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "cipherBits": 256}]
DMARC = ["pass", "fail", None, "none"]
ACTIONS = [
    [
        {"module": "spf", "rule": "pass", "action": "continue"},
        {"module": "spam", "rule": "bulk", "action": "discard", "isFinal": True},
    ],
    [
        {"module": "dkimv", "rule": "none", "action": "continue"},
        {"module": "dmarc", "rule": "reject", "action": "reject", "isFinal": True},
    ],
    [
        {"module": "dlp", "rule": "card_number", "action": "quarantine"},
        {"module": "dlp", "rule": "card_number", "action": "continue"},
    ],
    [],
]
COUNTRIES = ["us", "de", "**", None, "us"]
# More than the ten senders that some panels show.
SENDERS = [f"sender{number}@Partner{number % 3}.example" for number in range(13)] + [
    "",
    "odd\"100%_\\o'brien@partner0.example",
]
RECIPIENTS = [
    ["one@acme.example"],
    ["one@acme.example", "two@acme.example", "three@Elsewhere.example"],
    ["two@acme.example"],
]
SUBJECTS = ["Invoice", 'Re: "50% off" \\ it\'s {free}', None, "Größe ✓"]


def pick(values, number):
    return values[number % len(values)]


def present(members):
    return {name: value for name, value in members.items() if value is not None}


def time(number):
    """One event every five minutes, none in the quiet hour, and some before and after the time range."""
    at = FIRST + datetime.timedelta(minutes=5 * number - 60, seconds=7)
    return at if at < FIRST + datetime.timedelta(hours=QUIET) else at + datetime.timedelta(hours=1)


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "+0000"


def origin(number):
    cluster = pick(CLUSTERS, number)
    return {"origin": {"data": {"cid": cluster}}} if cluster else {}


def parts(number):
    """A file with a link in it, or in every third message only text that names another file."""
    if number % 3 == 0:
        return [
            {"labeledName": "text.txt", "textExtracted": f'"labeledName": "file{number + 1}.zip"'}
        ]
    link = {"url": f"https://link{number % 5}.example/?q={number}", "src": ["filter"]}
    file = {
        "labeledName": f"file{number}.zip",
        "detectedName": f"found{number}.js",
        "md5": f"{number:032x}",
        "sha256": f"{number:064x}",
    }
    return [file | {"disposition": "attached", "urls": [link]}]


def message(number):
    folder = pick(FOLDERS, number)
    disposition = pick(DISPOSITIONS, number)
    modules = {"spam": {"triggeredClassifier": pick(["spam", "", "phish"], number)}}
    if number % 10 == 3:
        modules["av"] = {"virusNames": ["EICAR"]}
    if number % 10 == 7:
        modules["spam"]["scores"] = {"classifiers": {"malware": 81}}
    if pick(DMARC, number // 2):
        modules["dmarc"] = {"filterdResult": pick(DMARC, number // 2)}
    fields = {
        "qid": f"Q{number}",
        "disposition": disposition,
        "routeDirection": pick(DIRECTIONS, number),
        "quarantine": None
        if folder is None
        else {"folder": folder, "rule": f"{folder.lower()}_rule"},
        "actions": pick(ACTIONS, number // 3),
        "msgSizeBytes": None if number % 17 == 0 else 1000 + number,
        "durationSecs": 0.25 * (number % 8),
        "modules": modules,
    }
    tls = pick(TLS, number // 2)
    header = {"from": [f"Name {number} <header{number}@partner.example>"]}
    if number != UNNAMED:
        header["message-id"] = [f"<m{number}@partner.example>"]
    if pick(SUBJECTS, number):
        header["subject"] = [pick(SUBJECTS, number)]
    connection = {
        "ip": f"192.0.2.{20 + number % 4}",
        "sid": f"s{number}",
        "country": pick(COUNTRIES, number),
        "tls": tls and {"inbound": tls},
    }
    return events.message(
        f"guid {number}",
        ts=stamp(time(number)),
        connection=present(connection),
        envelope={"from": pick(SENDERS, number), "rcpts": pick(RECIPIENTS, number // 2)},
        filter=present(fields),
        metadata=origin(number),
        msg={"header": header},
        msgParts=parts(number),
    )


def messages():
    """The messages. The gateway reported one of them twice, and two from one sender have no id."""
    made = [message(number) for number in range(110)]
    again = message(30)
    again |= {
        "ts": stamp(time(30) + datetime.timedelta(seconds=1)),
        "filter": again["filter"] | {"disposition": "retry"},
    }
    for number in [42, 57]:
        del made[number]["guid"]
    return [*made, again]


VERIFIED = ["OK", "NONE", None, "FAIL", "OK"]
VERSIONS = ["TLSv1.2", "NONE", None]
MAILERS = ["esmtp", "relay", "local", "*file*", None]
RESULTS = [
    ("2.0.0", "Sent (ok: queued)"),
    ("4.4.1", "Deferred: Connection timed out"),
    ("5.1.1", "User unknown"),
]
RESULTS += [(None, "Sent"), (None, "Queued")]


def line(number, name, seconds, sm, tls):
    return {
        "id": f"{name} {number}",
        "ts": stamp(time(number) + datetime.timedelta(seconds=seconds)),
        "data": f"{name} {number}",
        "metadata": origin(number),
        "sm": sm,
        "tls": tls,
    }


def maillog():
    """For each message a line for its receipt, and two more lines for its receipt and its delivery under
    another queue id, which only the Message-ID links to it. Some deliveries name no recipient."""
    made = []
    for number in range(110):
        msgid = f"<m{number}@partner.example>"
        dsn, stat = pick(RESULTS, number)
        tls = present({"verify": pick(VERIFIED, number), "version": pick(VERSIONS, number // 2)})
        delivery = {
            "qid": f"R{number}",
            "stat": stat,
            "dsn": dsn,
            "mailer": pick(MAILERS, number // 3),
            "relay": "mx.acme.example. [192.0.2.40]",
        }
        if number % 7:
            delivery["to"] = [f"<{recipient}>" for recipient in pick(RECIPIENTS, number // 2)]
        made.append(
            line(
                number,
                "received",
                1,
                {"qid": f"Q{number}", "msgid": msgid, "from": "<a@b.example>"},
                {},
            )
        )
        made.append(
            line(
                number,
                "again",
                2,
                {"qid": f"R{number}", "msgid": msgid, "from": "<a@b.example>"},
                {},
            )
        )
        made.append(line(number, "delivery", 3, present(delivery), tls))
    # A line without a message belongs to no message.
    made.append(line(20, "other", 1, {"stat": "Sent"}, {}))
    return made


def audit():
    actions, users = (
        ["login", "logout", "create", None],
        ["admin@acme.example", "operator@acme.example", None],
    )
    return [
        {
            "guid": f"audit {number}",
            "ts": stamp(time(number)),
            "metadata": origin(number),
            "audit": {
                **present(
                    {
                        "action": pick(actions, number),
                        "level": "INFO",
                        "resourceType": pick(["authorization", "config"], number // 2),
                    }
                ),
                "tags": [{"name": "eventDetails", "value": f'Key "{number}"'}],
                "user": present(
                    {
                        "email": pick(users, number),
                        "ipAddress": pick(["198.51.100.7", None], number // 3),
                    }
                ),
            },
        }
        for number in range(0, 110, 2)
    ]


def read(stamped):
    return times.read(stamped).replace(tzinfo=datetime.UTC)


def at(event):
    return read(event["ts"])


def delay(number):
    return datetime.timedelta(seconds=10 * (number % 7))


def untimed(made):
    """A message whose time could not be read, with the time of its row, which it is shown by."""
    return made[0] | {"guid": "untimed", "ts": AFTERWARDS}


def tables(of_kinds):
    """A workspace that received the events with some delay, and every fifth event again an hour later.
    Some messages also came through the HTTP Data Collector API, and one through the codeless
    connector, which could not read its time."""
    made = {}
    for kind, of_kind in of_kinds.items():
        rows = events.rows(kind, "columns", [json.dumps(event) for event in of_kind])
        for number, (row, event) in enumerate(zip(rows, of_kind, strict=True)):
            row |= {INGESTED: stamp(at(event) + delay(number)), BILLED: 1000.0 + number}
        later = [
            row
            | {"TimeGenerated": stamp(times.read(row["eventTime"]) + datetime.timedelta(hours=1))}
            for row in rows[2::5]
        ]
        made[NAMES[kind]] = TABLES[NAMES[kind]] | {BILLED: "real"}, rows + later
    unreadable = untimed(of_kinds["message"]) | {"ts": "some time"}
    made[NAMES["message"]][1].append(
        codeless_connector.row(NAMES["message"], unreadable, AFTERWARDS) | {BILLED: 1.0}
    )
    texts = [json.dumps(event) for event in of_kinds["message"][40:60]]
    legacy = [
        row | {"TimeGenerated": AFTERWARDS} for row in events.rows("message", "legacy", texts)
    ]
    columns, rows = collected(legacy)
    made["ProofpointPOD_message_CL"] = (
        columns | {BILLED: "real"},
        [row | {BILLED: 500.0} for row in rows],
    )
    return made
