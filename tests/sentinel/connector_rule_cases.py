"""For each rule over what the connector says of itself: cases that raise it, cases that do not, and what its
first alert says.

A case is made for an account that only it has. Each case that does not raise a rule misses one of its
conditions."""

import datetime
import json

from connector_rows import HOUR, SECOND, again, failed, feed, hour, run, stamp

# The time at which the runs of the rules are due.
NOW = datetime.datetime(2026, 11, 26, 12, 10)
MINUTE = 60 * SECOND
DAY = 24 * HOUR

LATELY = NOW - 30 * MINUTE
EARLIER = NOW - 90 * MINUTE
AFTERWARDS = {"arrived": NOW + MINUTE}

LONG_AGO = datetime.datetime(2026, 10, 26, 8)


def lost(account, *hours, at=LATELY, kind="message", **members):
    return [hour(feed(kind, account), each, at, 0, "lost", **members) for each in hours]


def as_said(completeness):
    """A case with an hour in this state."""
    return lambda account: [hour(feed(account=account), LONG_AGO, LATELY, 5, completeness)]


def found_after_all(account):
    return [
        *lost(account, LONG_AGO),
        hour(feed(account=account), LONG_AGO, LATELY + MINUTE, 5, "believed"),
    ]


LOST = (
    [
        lambda account: lost(account, LONG_AGO, LONG_AGO + HOUR, LONG_AGO + 2 * HOUR),
        lambda account: lost(account, LONG_AGO, kind="tap"),
        lambda account: [
            hour(feed(account=account), LONG_AGO, EARLIER, 5, "unknown"),
            *lost(account, LONG_AGO),
        ],
        # One hour was told before, and another is news.
        lambda account: lost(account, LONG_AGO, at=EARLIER) + lost(account, LONG_AGO + HOUR),
    ],
    [
        *map(as_said, ["proved", "believed", "unknown"]),
        lambda account: lost(account, LONG_AGO, at=EARLIER),
        lambda account: lost(account, LONG_AGO, at=EARLIER) + lost(account, LONG_AGO),
        lambda account: [
            each for row in lost(account, LONG_AGO, at=EARLIER) for each in [row, again(row)]
        ],
        lambda account: lost(account, LONG_AGO, **AFTERWARDS),
        found_after_all,
        lambda account: [run(feed(account=account), LATELY, HoursLost=3)],
    ],
    {
        "Hours": 3,
        "FirstHourText": "2026-10-26 08:00",
        "LostHours": [f"2026-10-26 {number:02}:00" for number in [8, 9, 10]],
        "FeedType": "message",
        "Product": "Proofpoint on Demand",
    },
)


def refused(account, at=LATELY, count=2, kind="message", **members):
    reasons = {"DeadLetters": count, "DeadLetterReasons": {"refused": count}}
    return run(feed(kind, account), at, **(reasons | members))


REFUSED = (
    [
        lambda account: [refused(account), refused(account, LATELY + MINUTE, 3)],
        lambda account: [refused(account, kind="tap")],
        lambda account: [refused(account, EARLIER), refused(account)],
        lambda account: [row := refused(account), again(row, MINUTE)],
    ],
    [
        lambda account: [run(feed(account=account), LATELY)],
        lambda account: [
            refused(account, DeadLetterReasons={"malformed": 2, "oversize": 1, "refused": 0})
        ],
        lambda account: [refused(account, EARLIER)],
        lambda account: [row := refused(account, EARLIER), again(row)],
        lambda account: [refused(account, **AFTERWARDS)],
        lambda account: [hour(feed(account=account), LONG_AGO, LATELY, 5, DeadLetters=2)],
    ],
    {
        "Refused": 5,
        "Runs": 2,
        "FirstRun": LATELY,
        "Command": "proofpoint-sentinel deadletter list --reason refused --type message --cluster {account}",
    },
)

# The codes that docs/errors.md has for refused and unusable credentials.
CODES = [
    "PPS1003", "PPS2002", "PPS2003", "PPS2011", "PPS2105", "PPS2106", "PPS2114", "PPS5101", "PPS5102",
]  # fmt: skip


def coded(code, *times, **members):
    """A case whose runs failed with the code at these times."""
    return lambda account: [failed(feed(account=account), at, code, **members) for at in times]


def healed(account, broken=LATELY, good=LATELY + MINUTE):
    return [failed(feed(account=account), broken, "PPS2002"), run(feed(account=account), good)]


CREDENTIAL = (
    [
        lambda account: healed(account, LATELY, EARLIER),
        *[coded(code, LATELY, LATELY + 5 * MINUTE) for code in CODES],
        lambda account: [failed(feed("tap", account), LATELY, "PPS2105")],
        # It was refused two days ago, too.
        coded("PPS2002", NOW - 2 * DAY, LATELY),
    ],
    [
        healed,
        coded("PPS2005", LATELY),
        coded("PPS4103", LATELY),
        coded("PPS2002", EARLIER),
        coded("PPS2002", EARLIER, LATELY),
        coded("PPS2002", NOW - 20 * HOUR, LATELY),
        coded("PPS2002", LATELY, **AFTERWARDS),
    ],
    {"Code": "PPS2002", "Reason": "{account}: it failed with PPS2002", "LastGood": EARLIER},
)


def hourly(account, hours, kind="message", **members):
    """Runs so many hours ago."""
    return [run(feed(kind, account), NOW - each * HOUR, **members) for each in hours]


def failing(account, hours, code="PPS2009"):
    return [failed(feed(account=account), NOW - each * HOUR, code) for each in hours]


SILENT = (
    [
        lambda account: hourly(account, range(3, 20)),
        lambda account: hourly(account, range(3, 20), "audit"),
        lambda account: hourly(account, range(3, 20), "tap"),
        lambda account: hourly(account, range(3, 6)) + failing(account, range(3)),
        # It has never worked.
        lambda account: failing(account, range(6)),
        # One feed goes on.
        lambda account: hourly(account, range(3, 20)) + hourly(account, range(20), "maillog"),
    ],
    [
        lambda account: hourly(account, range(1, 20)),
        lambda account: hourly(account, range(2, 20)) + failing(account, range(2)),
        # Its alerts were raised when it stopped.
        lambda account: hourly(account, range(9, 20)),
        # One run says nothing of what is usual.
        lambda account: hourly(account, [3]),
        lambda account: hourly(account, range(3, 20), RunId="collect 2026-11-20T06 to 2026-11-20T09"),
        lambda account: [hour(feed(account=account), LONG_AGO, NOW - n * HOUR, 5) for n in (3, 4, 5)],
    ],
    {
        "Stream": "message events of {account}",
        "Why": "no run has ended",
        "EventType": "message",
        "LastEventTime": "2026-11-26 09:05",
    },
)  # fmt: skip

# The hour that is compared, and when what is said of it arrives.
COMPARED = datetime.datetime(2026, 11, 26, 8)
SETTLED = NOW - 150 * MINUTE

# Every seventh hour of six days before.
SEVENTH = [
    each
    for each in (COMPARED - n * HOUR for n in range(2, 6 * 24))
    if (each - datetime.datetime(2020, 1, 1)) // HOUR % 7 == 0
]


def messages(account, at, count):
    """So many messages of an hour."""
    return [
        {
            "guid": f"{account} {at:%d %H} {number}",
            "ts": stamp(at + number * SECOND),
            "metadata": {"origin": {"data": {"cid": account}}},
            "filter": {"disposition": "continue"},
        }
        for number in range(count)
    ]


class Compared:
    """A case with what the connector says of hours, and the messages of its account. So many of the hours
    before lack messages."""

    def __init__(self, found, *told, short=0, before=SEVENTH):
        self._found, self._told, self._short, self._before = found, told, short, before

    def __call__(self, account):
        of = feed(account=account)
        usual = [hour(of, each, each + 2 * HOUR, 2) for each in self._before]
        return usual + [hour(of, *each[:3], **each[3]) for each in map(with_members, self._told)]

    def messages(self, account):
        made = messages(account, COMPARED, self._found)
        for number, each in enumerate(self._before):
            made += messages(account, each, 1 if number < self._short else 2)
        return made


def with_members(told):
    """An hour, when it was said, what was delivered, and other members."""
    return told if isinstance(told[-1], dict) else (*told, {})


SAID = (COMPARED, SETTLED, 5)
QUARTER = len(SEVENTH) // 4

INCOMPLETE = (
    [
        Compared(3, SAID),
        Compared(0, SAID),
        # It was whole when it was compared before.
        Compared(3, (COMPARED, NOW - 4 * HOUR, 3), SAID),
        Compared(3, (COMPARED, NOW - 5 * HOUR, 5, {"arrived": SETTLED})),
        Compared(3, SAID, short=QUARTER),
    ],
    [
        Compared(5, SAID),
        # Another connector delivered it, too.
        Compared(6, SAID),
        Compared(3, (COMPARED, NOW - HOUR, 5)),
        Compared(3, (COMPARED, NOW - 4 * HOUR, 5)),
        # It has been read again since.
        Compared(3, SAID, (COMPARED, NOW - HOUR, 6)),
        # A transformation drops rows.
        Compared(3, SAID, short=QUARTER + 1),
        # A new feed.
        Compared(3, SAID, before=SEVENTH[:3]),
        Compared(0, (COMPARED - 9 * DAY, SETTLED, 5)),
        Compared(0, (COMPARED, SETTLED, 0)),
    ],
    {
        "Delivered": 5,
        "Found": 3,
        "Missing": 2,
        "HourText": "2026-11-26 08:00",
        "Stream": "message events of {account}",
        "Command": "proofpoint-sentinel collect --again --type message --cluster {account}"
        " --from 2026-11-26T08 --to 2026-11-26T09",
    },
)

CASES = {
    "ConnectorCredentialRefused": CREDENTIAL,
    "ConnectorHourIncomplete": INCOMPLETE,
    "ConnectorHourLost": LOST,
    "ConnectorRowsRefused": REFUSED,
    "ConnectorSilent": SILENT,
}

# Values for the lists at the top of a rule's query with which the first case no longer raises the rule.
LISTS = {
    ("ConnectorHourIncomplete", "transformed"): "{account}-message",
    ("ConnectorSilent", "exceptedClusters"): "{account}",
}


def account(rule, outcome, number):
    return f"{outcome}{number}_{rule.lower()}"


def named(value, name):
    """What a case says, with its account in it."""
    return value.replace("{account}", name) if isinstance(value, str) else value


def of_rule(rule):
    """The rows and the messages of all cases of a rule."""
    rows, events = [], []
    raises, misses, _ = CASES[rule]
    for outcome, cases in [("raises", raises), ("misses", misses)]:
        for number, case in enumerate(cases):
            name = account(rule, outcome, number)
            rows += case(name)
            if isinstance(case, Compared):
                events += [("message", each) for each in case.messages(name)]
    return rows, events


def text(row):
    return json.dumps(row, default=str)
