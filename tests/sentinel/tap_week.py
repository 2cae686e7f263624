"""An ordinary week of Targeted Attack Protection for 1,000 users: what is blocked, and the few threats that
get through. The numbers are estimates, as those of ordinary_week.py are."""

import datetime

import tap
import tap_records
from tap_records import blocked, click, message, threat

DAYS = 7

# Records of each kind a day.
RATES = {
    "message that is blocked": 60,
    "click that is blocked": 3,
    "click on spam": 2,
    "delivered spam": 5,
    "message that is condemned while it is delivered": 1,
    "message that is condemned hours later": 1,
}

# Once in the week: somebody clicks on what is condemned later, and it is cleared on the next day; an impostor
# asks for a payment; a file is found to be malware.
ONCE = {"late verdict with a click": 1, "impostor": 3, "malware": 5}


def at(end, day, number, **earlier):
    """A time of a day, in the form that Proofpoint writes."""
    when = (
        end
        - datetime.timedelta(days=DAYS - day, minutes=-13 * number)
        - datetime.timedelta(**earlier)
    )
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def made(kind, end, day, number):
    """The records of a kind, each with what differs."""
    now, hours_ago = at(end, day, number), at(end, day, number, hours=3)
    found = threat(at=now, threatID=f"{day:02}{number:02}" * 16)
    user = {"recipient": [f"user{day * 131 + number}@acme.example"]}
    clicked = {"recipient": user["recipient"][0], "threatTime": now, "at": now}
    match kind:
        case "message that is blocked":
            return [blocked([found], at=now, **user)]
        case "click that is blocked":
            return [click("clicksBlocked", **clicked)]
        case "click on spam":
            return [click(classification="spam", **clicked)]
        case "delivered spam":
            return [message(threats=[found | {"classification": "spam"}], at=now, **user)]
        case "message that is condemned while it is delivered":
            return [message(threats=[found], at=now, **user)]
        case "message that is condemned hours later":
            return [message(threats=[found], at=hours_ago, **user)]
        case "late verdict with a click":
            of_mail = {"GUID": f"clicked{day}"}
            return [
                message(threats=[found], at=hours_ago, **user, **of_mail),
                click(**clicked | {"at": at(end, day, number, hours=1)}, **of_mail),
            ]
        case "impostor":
            return [message(threats=[found | {"classification": "impostor"}], at=now, **user)]
        case "malware":
            found |= {"classification": "malware", "threatType": "attachment"}
            return [message(threats=[found], at=now, **user)]


def occurrences(end):
    """The records of the week before `end`, each of which arrived a quarter of an hour after it was made."""
    numbers = [
        (kind, day, number)
        for day in range(DAYS)
        for kind, count in RATES.items()
        for number in range(count)
    ]
    numbers += [(kind, day, 50) for kind, day in ONCE.items()]
    for kind, day, number in numbers:
        for each in made(kind, end, day, number):
            name = f"{kind} {day} {number}".replace(" ", "-")
            record = {
                key: value.format(sender=f"{name}@partner.example", guid=name)
                if isinstance(value, str)
                else value
                for key, value in each["record"].items()
            }
            arrived = at(end, day, number, minutes=-15)
            yield each | {"record": record, "arrived": arrived}


def workspace(end):
    """The week, beside the gateway's tables, which have nothing of it."""
    return tap.TapWorkspace(tap_records.stored("columns", list(occurrences(end))), end)
