"""Records of Targeted Attack Protection for the panels of the workbook: every classification, type, status
and result, before, in and after the time range."""

import datetime

import tap
import tap_records
import traffic
from tap_records import click, message, threat

# A record each five minutes, from hours before the time range to hours after it.
STEP = datetime.timedelta(minutes=5)
MARGIN = datetime.timedelta(hours=2)

CLASSIFICATIONS = ["phish", "MALWARE", "impostor", "spam", "toad", ""]
TYPES = ["url", "ATTACHMENT", "messageText"]
STATUSES = ["active", "active", "active", "cleared", "falsePositive"]
CLUSTERS = ["acme_hosted", "other_hosted", None]


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _threats(number, at):
    """None to two threats, condemned between a minute and two hours after the message."""
    late = at + datetime.timedelta(minutes=[1, 16, 120][number % 3])
    return [
        threat(
            CLASSIFICATIONS[(number + each) % len(CLASSIFICATIONS)],
            TYPES[(number + each) % len(TYPES)],
            STATUSES[number % len(STATUSES)],
            stamp(late),
            threatID=f"threat{number % 7}-{each}",
            threat=f"https://site{number % 5}.example/{each}",
            campaignID=f"campaign{number % 3}" if number % 4 else None,
        )
        for each in range(number % 3)
    ]


def _message(number, at):
    array = ["messagesDelivered", "messagesBlocked"][number % 2]
    users = [f"User{number % 9}@acme.example", f"user{number % 4}@acme.example"]
    return message(
        array,
        _threats(number, at),
        stamp(at),
        GUID=f"guid{number % 40}",
        recipient=users[: 1 + number % 2] if number % 11 else [],
        sender=f"sender{number % 13}@partner.example" if number % 10 else "",
        senderIP=f"192.0.2.{number % 12}",
        cluster=CLUSTERS[number % len(CLUSTERS)],
        policyRoutes=["default_inbound", "executives"][: number % 3],
        subject=f"About {number}",
    )


def _click(number, at):
    array = ["clicksPermitted", "clicksBlocked"][number // 3 % 2]
    urls = ["https://www.Bad.example/a?b=c", "http://user@worse.example:8080/", "no-address"]
    return click(
        array,
        CLASSIFICATIONS[number % 4],
        stamp(at),
        GUID=f"guid{number % 40}",
        url=urls[number // 2 % len(urls)],
        recipient=f"user{number % 9}@acme.example",
        clickIP=f"198.51.100.{number % 5}",
        threatID=f"threat{number % 7}-0",
        threatStatus=STATUSES[number % len(STATUSES)],
        campaignId=f"campaign{number % 3}" if number % 4 else None,
    )


def records():
    """All records, each with its array."""
    made = []
    at, number = traffic.FIRST - MARGIN, 0
    end = traffic.FIRST + datetime.timedelta(hours=traffic.HOURS) + MARGIN
    while at < end:
        made.append((_click if number % 3 == 1 else _message)(number, at))
        at, number = at + STEP, number + 1
    return made


def tables(made):
    """The tables of a workspace with the records."""
    return tap_records.stored("columns", made) | {
        name: (columns, [])
        for name, columns in tap.COLUMNS.items()
        if name.startswith("ProofpointPOD")
    }
