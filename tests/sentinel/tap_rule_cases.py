"""For each analytic rule over TAP: cases that raise it, cases that miss one of its conditions, and what its
first alert says.

A case is a list of records, and of message events of the gateway, of one sender, whose address is for
example `raises0@<rule>.example`. They have a GUID of their own."""

import json

import events
from tap_records import ago, blocked, click, message, threat

HASH, OTHER_HASH = "cd" * 32, "ef" * 32
FILE = {"filename": "Invoice.pdf", "sha256": HASH.upper(), "disposition": "attached"}
BODY = {"filename": "text.html", "sha256": OTHER_HASH, "disposition": "inline"}

EARLIER = {"arrived": ago(hours=2)}
NEXT_RUN = {"arrived": ago(minutes=-1)}


def delivered(*threats, **members):
    return message(threats=threats or [threat()], **members)


def malware(**members):
    return threat("malware", "attachment", **members)


def gateway(disposition="continue", at=None, folder=None, arrived=None):
    """The message event of the gateway."""
    quarantine = {"quarantine": {"folder": folder, "rule": "phish"}} if folder else {}
    action = {"module": "spam", "rule": "inbound", "action": disposition, "isFinal": True}
    event = events.message(
        "{guid}",
        ts=at or ago(hours=3),
        envelope={"from": "{sender}", "rcpts": ["one@acme.example"]},
        filter={"disposition": disposition, "routeDirection": "inbound", "actions": [action]}
        | quarantine,
    )
    event["msg"]["header"]["subject"] = ["About {sender}"]
    return {"array": None, "record": event, "arrived": arrived or ago(hours=2)}


def repeated(occurrence):
    """A record that had arrived before arrives again."""
    return [occurrence | EARLIER, occurrence | {"arrived": ago(seconds=30)}]


def everywhere(make, found, **members):
    """Misses of a rule on delivered messages: of other kinds and statuses, and at other times."""
    return [
        [blocked(found, **members)],
        [make(*[each | {"threatStatus": "cleared"} for each in found], **members)],
        [make(*[each | {"threatStatus": "falsePositive"} for each in found], **members)],
        [make(*found, **members, **EARLIER)],
        [make(*found, **members, **NEXT_RUN)],
        repeated(make(*found, **members)),
    ]


LATE = {"at": ago(hours=3)}
LATE_THREAT = threat(at=ago(minutes=20))
HELD = gateway("discard", folder="Phish")


def sent(**members):
    """A message that is condemned hours after it was sent."""
    return delivered(LATE_THREAT, **LATE, **members)


def many(count, found, **members):
    """The same threat in one message to each of several recipients, the last first."""
    return [
        delivered(
            found,
            recipient=[f"r{number}@acme.example"],
            GUID=f"{{guid}}{number}",
            **{"at": ago(minutes=5 + number)} | members,
        )
        for number in range(count)
    ]


def others(*found, **members):
    return delivered(*found, GUID="{guid}-other", subject="Another", **members)


CASES = {
    "TapMalwareAttachmentDelivered": (
        [
            [delivered(malware(), messageParts=[BODY, FILE])],
            [delivered(threat("MALWARE", "ATTACHMENT"), messageParts=[])],
            [delivered(threat(), malware(threatID="1" * 64), messageParts=[BODY])],
        ],
        [
            [delivered(threat("phish", "attachment"))],
            [delivered(threat("malware", "url"))],
            *everywhere(delivered, [malware()], messageParts=[FILE]),
        ],
        {
            "FileNames": ["Invoice.pdf"],
            "Sha256": HASH,
            "Algorithm": "SHA256",
            "Recipient": "one@acme.example",
            "RecipientName": "one",
            "RecipientDomain": "acme.example",
            "SenderIp": "192.0.2.20",
        },
    ),
    "TapThreatClicked": (
        [
            [click(recipient="One@acme.example")],
            [click(classification="MALWARE")],
            # A verdict that changed to active.
            [
                click(id="{guid}", threatStatus="cleared", threatTime=ago(hours=2), **EARLIER),
                click(id="{guid}"),
            ],
        ],
        [
            [click("clicksBlocked")],
            [click(classification="spam")],
            [click(threatStatus="cleared")],
            [click(threatStatus="falsePositive")],
            [click(**EARLIER)],
            [click(**NEXT_RUN)],
            repeated(click()),
            # Cleared before the run.
            [
                click(id="{guid}", threatTime=ago(minutes=9)),
                click(id="{guid}", threatStatus="cleared", threatTime=ago(minutes=1)),
            ],
            [delivered()],
        ],
        {
            "Recipient": "one@acme.example",
            "ClickIp": "198.51.100.7",
            "Url": "https://bad.example/login",
            "Classification": "phish",
        },
    ),
    "TapHighScoreDelivered": (
        [
            [delivered(malwareScore=80)],
            [delivered(phishScore=100)],
            [delivered(impostorScore=80.5)],
        ],
        [
            [delivered(malwareScore=79, phishScore=79, impostorScore=79.9, spamScore=100)],
            [message(malwareScore=100)],
            *everywhere(delivered, [threat()], phishScore=100),
        ],
        {"MalwareScore": 80, "Classifications": ["phish"], "Recipient": "one@acme.example"},
    ),
    "TapClickedAndReceived": (
        [
            [click(recipient="a1@acme.example"), others(malware(), recipient=["A1@acme.example"])],
            [
                click(recipient="a2@acme.example"),
                others(recipient=["a2@acme.example"], at=ago(days=6), arrived=ago(days=6)),
            ],
        ],
        [
            # The message of the click.
            [click(recipient="m1@acme.example"), delivered(recipient=["m1@acme.example"])],
            [click(recipient="m2@acme.example"), others(recipient=["n2@acme.example"])],
            [
                click(recipient="m3@acme.example"),
                others(threat(status="cleared"), recipient=["m3@acme.example"]),
            ],
            [
                click(recipient="m4@acme.example"),
                others(recipient=["m4@acme.example"], at=ago(days=8), arrived=ago(days=8)),
            ],
            [
                click("clicksBlocked", recipient="m5@acme.example"),
                others(recipient=["m5@acme.example"]),
            ],
            [click(recipient="m6@acme.example", **EARLIER), others(recipient=["m6@acme.example"])],
            [
                click(recipient="m7@acme.example", classification="spam"),
                others(recipient=["m7@acme.example"]),
            ],
            [
                click(recipient="m8@acme.example", threatStatus="cleared"),
                others(recipient=["m8@acme.example"]),
            ],
        ],
        {
            "Recipient": "a1@acme.example",
            "Others": 1,
            "OtherSubjects": ["Another"],
            "OtherClassifications": ["malware"],
        },
    ),
    "TapLateVerdict": (
        [
            [sent()],
            [delivered(threat(at=ago(minutes=1)), at=ago(minutes=17))],
        ],
        [
            [delivered(threat(at=ago(minutes=1)), at=ago(minutes=15))],
            [delivered(threat("spam", at=ago(minutes=20)), **LATE)],
            *everywhere(delivered, [LATE_THREAT], **LATE),
        ],
        {"MinutesLate": 160, "Classifications": ["phish"], "Recipient": "one@acme.example"},
    ),
    "TapThreatToManyRecipients": (
        [
            many(10, threat(threatID="many1")),
            # A campaign of several threats, most of which arrived earlier.
            many(5, threat(threatID="many2", campaignID="campaign"), arrived=ago(days=2))
            + many(10, threat(threatID="many3", campaignID="campaign")),
        ],
        [
            many(9, threat(threatID="few1")),
            # The alert was raised before.
            many(10, threat(threatID="few2"), arrived=ago(days=2))
            + many(11, threat(threatID="few2")),
            [delivered(threat(threatID="few3"), GUID=f"{{guid}}{number}") for number in range(10)],
            many(10, threat(threatID="few4"), at=ago(days=8)),
            many(10, threat("spam", threatID="few5")),
            many(10, threat(threatID="few6", status="cleared")),
            [
                blocked([threat(threatID="few7")], recipient=[f"r{number}@acme.example"])
                for number in range(10)
            ],
            many(10, threat(threatID="few8"), **EARLIER),
        ],
        {"Attack": "many1", "RecipientCount": 10, "Recipient": "r9@acme.example", "Messages": 10},
    ),
    "TapImpostorDelivered": (
        [
            [delivered(threat("impostor", "messageText"), headerReplyTo="else@mail.example")],
            [delivered(threat("TOAD", "messageText"))],
            # A record that does not name the recipient.
            [delivered(threat("toad", "messageText"), recipient=[])],
            [delivered(threat("toad", "messageText"), recipient=None)],
        ],
        [
            [delivered(threat("phish", "messageText"))],
            *everywhere(delivered, [threat("impostor", "messageText")]),
        ],
        {
            "Classification": "impostor",
            "HeaderReplyTo": "else@mail.example",
            "ImpostorScore": 0.5,
            "Recipient": "one@acme.example",
        },
    ),
    "TapClickAfterQuarantine": (
        [[HELD, click()], [HELD, gateway(at=ago(hours=2)), click(classification="spam")]],
        [
            [gateway(), click()],
            [gateway("continue", folder="Audit"), click()],
            [gateway("reject"), click()],
            [HELD, click("clicksBlocked")],
            [HELD, click(threatStatus="cleared")],
            [HELD, click(**EARLIER)],
            [HELD, click(**NEXT_RUN)],
            [HELD, *repeated(click())],
            [HELD, click(GUID="{guid}-other")],
            # Held after the click.
            [gateway("discard", folder="Phish", at=ago(minutes=1), arrived=ago()), click()],
        ],
        {"Folder": "Phish", "Rule": "phish", "ClickIp": "198.51.100.7"},
    ),
    "TapDeliveredCondemnedClicked": (
        [
            [
                gateway(),
                sent(**EARLIER),
                click(at=ago(hours=1), **EARLIER),
                click(at=ago(minutes=4), clickIP="203.0.113.9"),
            ],
            # The verdict arrives after the click.
            [sent(), click(at=ago(hours=2), **EARLIER)],
            [
                gateway(),
                gateway("discard", at=ago(minutes=5), folder="Phish", arrived=ago(minutes=3)),
                sent(**EARLIER),
                click(),
            ],
        ],
        [
            [gateway(), sent()],
            [gateway(), click()],
            [gateway(), sent(**EARLIER), click("clicksBlocked")],
            [gateway(), sent(**EARLIER), click(recipient="two@acme.example")],
            [gateway(), sent(**EARLIER), click(GUID="{guid}-other")],
            [gateway(), sent(**EARLIER), click(**EARLIER)],
            [gateway(), sent(**EARLIER), *repeated(click())],
            [gateway(), delivered(threat(at=ago(hours=3)), **LATE), click()],
            [gateway(), delivered(threat(status="cleared", at=ago(minutes=20)), **LATE), click()],
            [gateway(), delivered(threat("spam", at=ago(minutes=20)), **LATE), click()],
            [gateway(), sent(), click(threatStatus="cleared")],
        ],
        {
            "Clicks": 2,
            "ClicksBefore": 1,
            "ClickIp": "203.0.113.9",
            "ClickIps": ["198.51.100.7", "203.0.113.9"],
            "Retracted": "no sign in the gateway's log",
            "Gateway": "continue by inbound",
            "Recipient": "one@acme.example",
        },
    ),
}

# Values for the lists at the top of a query with which the first case no longer raises the rule.
LISTS = {rule: "exceptedSenders" for rule in CASES if rule != "TapClickAfterQuarantine"}


def sender(rule, outcome, number):
    return f"{outcome}{number}@{rule.lower()}.example"


def occurrences():
    """The records and events of all cases, each with the address of its case."""
    made = []
    for rule, (raises, misses, _) in CASES.items():
        for outcome, cases in [("raises", raises), ("misses", misses)]:
            for number, case in enumerate(cases):
                address = sender(rule, outcome, number)
                made += [addressed(occurrence, address) for occurrence in case]
    return made


def addressed(occurrence, address):
    """An occurrence of a case, with the address of its sender and a GUID of its own."""
    text = json.dumps(occurrence["record"])
    text = text.replace("{sender}", address).replace("{guid}", f"guid-{address.split('.')[0]}")
    return occurrence | {"record": json.loads(text)}


def days(*ages):
    """A record that arrived at each number of hours ago."""
    return [{**click(GUID=f"g{age}", at=ago(hours=age)), "arrived": ago(hours=age)} for age in ages]


# Histories of arrivals that raise the rule on silence, and others.
SILENT = [days(*range(25, 200, 12)), days(*range(25, 25 + 24 * 5, 24))]
NOT_SILENT = [
    days(*range(23, 200, 12)),
    days(25, 26, 50, 51, 75, 76, 99),
    days(*range(1, 200, 24)),
    [],
]
