"""Compromised accounts, floods of mail, data that leaves and known threats that raise the analytic rules,
and mail that misses one of their conditions."""

import watchlists
from rule_cases_mail import CHECKED_AN_HOUR_AGO, PHISH, VIRUS, page, people
from rule_events import ago, inbound, message, outbound, spam
from threat_indicators import FLAWS

# A server on the allow-list.
ALLOWED = {"connection": {"ip": watchlists.ALLOWED_IP}}


def internal(**members):
    return message("internal", **members)


MALWARE = {"modules": spam("malware")}
A_MINUTE_BEFORE = {"sent": ago(minutes=3)}

FROM_INSIDE = {
    "ThreatSentFromInside": (
        [
            [internal(**PHISH, **A_MINUTE_BEFORE), outbound(**MALWARE, disposition="discard")],
            [outbound(modules=spam(malware=81))],
            [outbound(modules=spam("Impostor"))],
            [internal(modules=spam(impostor=81))],
            [outbound(**VIRUS, disposition="reject")],
            [internal(**PHISH, **A_MINUTE_BEFORE), internal(**PHISH, sender="{SENDER}")],
        ],
        [
            [outbound(modules=spam("spam", phish=80, malware=80, impostor=80))],
            [inbound(**PHISH)],
            [outbound(**PHISH, disposition="retry")],
            # VirusDelivered raises this one.
            [outbound(**VIRUS)],
            [outbound(modules={"av": {"virusNames": []}}, disposition="reject")],
            [outbound(**PHISH, **CHECKED_AN_HOUR_AGO)],
            [outbound(**PHISH, **ALLOWED)],
            [outbound(**PHISH, sender="")],
            [outbound(**PHISH, sender="{name}@allowed.example")],
        ],
        {"Messages": 2, "Stopped": 1, "ToColleagues": 1, "Threats": ["malware", "phish"]},
    ),
}


def flood(messages=100, domains=50, to="{sender}", **members):
    """Messages to one recipient, from so many domains."""
    return [
        inbound(to=[to], sender=f"list@news{number % domains}.example", **members)
        for number in range(messages)
    ]


DICTIONARY = people(50)
REACHED = {"to": ["found@acme.example"]}


def at(number):
    return {"connection": {"ip": f"198.51.100.{number}"}}


def tried(number, targets, found=("found@acme.example",), when=None, **members):
    """A server that tries recipients, which are refused, and reaches some."""
    refused = {"disposition": "reject", "sent": when} | members
    return [
        inbound(to=targets[:25], **at(number), **refused),
        inbound(to=targets[25:], **at(number), **refused),
        inbound(to=found, **at(number)),
    ]


REPUTATION = {"actions": [{"module": "pdr", "rule": "block", "action": "reject", "isFinal": True}]}

FLOODS = {
    "MailBombing": (
        [flood(), flood(to="{SENDER}", domains=100)],
        [
            flood(99),
            flood(domains=49),
            flood(disposition="discard"),
            [outbound(["{sender}"], sender=f"a@own{n}.example") for n in range(100)],
            # The backlog of an outage arrives at once.
            flood(60) + flood(60, sent=ago(hours=2)),
            flood(**CHECKED_AN_HOUR_AGO),
            flood(to=watchlists.ALLOWED_MAILBOX),
        ],
        {"Messages": 100, "Domains": 50, "Mailbox": "raises0@mailbombing.example"},
    ),
    "RecipientHarvesting": (
        [
            tried(101, DICTIONARY),
            tried(102, people(54), people(6, "found.example")),
        ],
        [
            tried(111, DICTIONARY[1:]),
            tried(112, DICTIONARY)[:2],
            tried(113, DICTIONARY, people(6, "found.example")),
            tried(114, DICTIONARY, **REPUTATION),
            tried(115, DICTIONARY, routeDirection="outbound"),
            tried(116, [f"R{n % 25}@acme.example" for n in range(50)]),
            [
                *tried(117, DICTIONARY[:30]),
                *tried(117, people(30, "b.example"), when=ago(hours=3)),
            ],
            [inbound(to=DICTIONARY, disposition="reject", **ALLOWED), inbound(**ALLOWED)],
            [occurrence | {"ingested": ago(minutes=61)} for occurrence in tried(118, DICTIONARY)],
            tried(119, DICTIONARY, disposition="retry"),
        ],
        {"Refused": 50, "Reached": 1, "ReachedTargets": ["found@acme.example"]},
    ),
}

DLP = {"actions": [{"module": "dlp", "rule": 'card "numbers"', "action": "quarantine"}]}


def hits(number=4):
    """Messages on which the DLP module acted, one a minute."""
    return [outbound(**DLP, sent=ago(minutes=3 + minute)) for minute in range(number)]


OTHER = {"actions": [{"module": "spam", "rule": "dlp", "action": "continue"}]}

LEAVING = {
    "DlpRepeated": (
        [
            [*hits(), outbound(**DLP, disposition="discard")],
            [*hits(), outbound(**DLP, sender="{SENDER}")],
        ],
        [
            hits(),
            [*hits(), outbound(**DLP, disposition="retry")],
            [*hits(), outbound(**OTHER)],
            [inbound(**DLP)] * 5,
            [outbound(**DLP, **CHECKED_AN_HOUR_AGO)] * 5,
            [outbound(**DLP, sender="{name}@allowed.example")] * 5,
            [outbound(**DLP, sender="")] * 5,
        ],
        {
            "Messages": 5,
            "Stopped": 1,
            "DlpRules": ['card \\"numbers\\"'],
            "Account": "raises0@dlprepeated.example",
        },
    ),
}

DOMAIN = "domain-name:value"
LISTED_DOMAIN = "{name}.EVIL.example"
SHA256 = "file:hashes.'SHA-256'"


def author(domain):
    return {"header": {"from": [f"A Name <a@{domain}>"]}}


def known(kind, value, flaw=None, **members):
    return inbound(listed=[kind, flaw, value], **members)


def file(**members):
    return {"parts": [{"labeledName": "a.bin"} | members]}


BAD_AUTHOR = author("mail.{name}.evil.example")

KNOWN = {
    "DomainOrHashInTIList": (
        [
            [known(DOMAIN, LISTED_DOMAIN, **BAD_AUTHOR)],
            [known(DOMAIN, LISTED_DOMAIN, **author("{name}.evil.example"))],
            [known(DOMAIN, LISTED_DOMAIN, sender="{sender}.a.{name}.evil.example")],
            [known(DOMAIN, LISTED_DOMAIN, **page("https://login.{name}.evil.example/a?b"))],
            [known(DOMAIN, LISTED_DOMAIN, **page("http://a.b.c.{name}.evil.example:8080"))],
            [known(SHA256, "e1" * 32, **file(sha256="E1" * 32))],
            [known("file:hashes.MD5", "a1" * 16, **file(md5="A1" * 16))],
        ],
        [
            # EmailUrlInTIList raises this one.
            [known(DOMAIN, LISTED_DOMAIN, **page("https://{name}.evil.example/"))],
            [known(DOMAIN, LISTED_DOMAIN, **author("{name}-evil.example"))],
            [known("url:value", LISTED_DOMAIN, **BAD_AUTHOR)],
            [known(SHA256, "e2" * 32, **file(sha256="E2" * 32, isDeleted=True))],
            [known(DOMAIN, watchlists.ALLOWED_DOMAIN, **author(watchlists.ALLOWED_DOMAIN))],
            [inbound(**BAD_AUTHOR)],
            *([known(DOMAIN, LISTED_DOMAIN, flaw, **BAD_AUTHOR)] for flaw in FLAWS),
            *(
                [known(DOMAIN, LISTED_DOMAIN, disposition=disposition, **BAD_AUTHOR)]
                for disposition in ["reject", "discard", "retry"]
            ),
            [known(DOMAIN, LISTED_DOMAIN, routeDirection="outbound", **BAD_AUTHOR)],
            [known(DOMAIN, LISTED_DOMAIN, **BAD_AUTHOR, **CHECKED_AN_HOUR_AGO)],
        ],
        {
            "Match": "Sender's domain raises0.evil.example",
            "Domain": "raises0.evil.example",
            "Confidence": 80,
            "Recipient": "one@acme.example",
        },
    ),
}

CASES = FROM_INSIDE | FLOODS | LEAVING | KNOWN
