"""An ordinary week of an organization with 1,000 users: mail that nobody would call an incident, in the
numbers below, beside a sample of mail without anything unusual.

The numbers are estimates. A filter that is looked after lets a few bad messages through a day, and the
rest of what rules ask for is business."""

import datetime

from rule_cases_files import IMAGE
from rule_cases_mail import EXE, LOCKED, ZIP, dmarc, people
from rule_cases_operations import POLICY
from rule_events import audit, inbound, message, outbound, spam

DAYS = 7
USERS = 1000

# Messages of each kind a day.
RATES = {
    "phishing exercise or report": 2,
    "service that writes for a colleague": 2,
    "safe-listed advertisement": 3,
    "software from a supplier": 1,
    "notebook or disk image from a partner": 1,
    "colleague's private mailbox": 1,
    "event with the name of the organization": 1,
    "held message released after review": 2,
    "archive from a partner": 150,
    "forwarded message that fails DMARC": 15,
    "message to the own private mailbox": 15,
    "old server": 10,
    "new newsletter": 2,
    "project with large files": 1,
    "project with archives": 1,
    "protected files to a new customer": 1,
    "reports that DLP stops": 1,
}


def user(day, number):
    return f"user{(day * 131 + number * 17) % USERS}@acme.example"


def partner(day, number):
    return f"person{number}@partner{day}-{number}.example"


def one(day, number, parts=(), **members):
    """A message from a partner to one or two users."""
    to = [user(day, number), user(day, number + 1)][: 1 + number % 3 // 2]
    return [message("inbound", to, parts, sender=partner(day, number), **members)]


def several(count, day, number, **members):
    """Messages from a user to one customer."""
    return [
        outbound([f"customer{number}@customer{day}.example"], sender=user(day, number), **members)
        for _ in range(count)
    ]


def released(day, number):
    """A held message and, hours later, the same again."""
    same = {"header": {"message-id": [f"<held{day}.{number}@partner.example>"]}}
    held = {"quarantine": {"folder": "Phish", "rule": "phish"}, "disposition": "discard"}
    return one(day, number, **same, **held) + one(day, number, **same)


def named(name, address):
    return {"header": {"from": [f'"{name}" <{address}>']}}


# What the messages of a kind are.
KINDS = {
    "phishing exercise or report": lambda *at: one(*at, modules=spam(phish=90)),
    "service that writes for a colleague": lambda *at: one(*at, modules=spam(impostor=85)),
    "safe-listed advertisement": lambda *at: one(*at, modules=spam("spam", 100)),
    "software from a supplier": lambda *at: one(*at, parts=[EXE]),
    "notebook or disk image from a partner": lambda *at: one(*at, parts=[IMAGE]),
    "colleague's private mailbox": lambda *at: one(
        *at, **named("Erika Example", "erika@home.example")
    ),
    "event with the name of the organization": lambda day, number: [
        inbound(to=[user(day, number)], sender=f"info@contoso-day{day}.example")
    ],
    "held message released after review": released,
    "archive from a partner": lambda *at: one(*at, parts=[ZIP]),
    "forwarded message that fails DMARC": lambda *at: one(
        *at, modules=dmarc("fail", "v=DMARC1; p=reject", "bank.example")
    ),
    "message to the own private mailbox": lambda day, number: [
        outbound([f"user{number}@home.example"], sender=f"user{number}@acme.example")
    ],
    "old server": lambda day, number: one(
        day,
        number,
        connection={
            "ip": f"203.0.113.{number}",
            "tls": {"inbound": {"cipher": "DES-CBC3-SHA", "version": "TLSv1"}},
        },
    ),
    "new newsletter": lambda day, number: [
        inbound(to=people(40), sender=f"news@letter{day}-{number}.example")
    ],
    "project with large files": lambda *at: several(5, *at, msgSizeBytes=9_000_000),
    "project with archives": lambda *at: several(5, *at, parts=[ZIP]),
    "protected files to a new customer": lambda *at: several(2, *at, parts=[LOCKED]),
    "reports that DLP stops": lambda *at: several(
        6,
        *at,
        disposition="discard",
        actions=[{"module": "dlp", "rule": "cards", "action": "discard", "isFinal": True}],
    ),
}


def administration(day):
    """A day of the administrators, who log in from where they always do."""
    actions = [audit("login", "authorization", ip=f"192.0.2.{admin}") for admin in range(4)]
    actions += [audit("edit", *POLICY, "Policy name: strict and Status: Disabled")]
    if day == 2:
        actions += [audit("create", "config", "key", "threatProtectionApiKeys", "New key")]
    return actions


def at(occurrence, when):
    """The event at a time, which arrived a minute later."""
    stamped = when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    ingested = (when + datetime.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    return occurrence | {"event": occurrence["event"] | {"ts": stamped}, "ingested": ingested}


def occurrences(end):
    """The events of the week before `end`, each with an address for its case."""
    made = []
    for day in range(DAYS):
        start = end - datetime.timedelta(days=DAYS - day)
        of_day = [
            each
            for kind, count in RATES.items()
            for n in range(count)
            for each in KINDS[kind](day, n)
        ]
        of_day += administration(day)
        step = datetime.timedelta(hours=23) / len(of_day)
        made += [
            (at(each, start + step * number), f"admin{day % 4}@acme.example")
            for number, each in enumerate(of_day)
        ]
    return made
