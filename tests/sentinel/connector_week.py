"""What the connector says of itself in simulated time: days on which all works, and days with faults."""

import datetime

from connector_rows import HOUR, SECOND, failed, feed, hour, run

MINUTE = 60 * SECOND

FEEDS = [
    feed("message"),
    feed("maillog"),
    feed("audit"),
    feed("message", "other_hosted"),
    feed("tap", "default"),
]

# A run is so often, and an hour is read so long after its end, and a second time.
EVERY = 10 * MINUTE
READ_AFTER, AGAIN_AFTER = 50 * MINUTE, 26 * HOUR


def number(of, at):
    """A number that differs between feeds and hours, and is always the same."""
    return (FEEDS.index(of) * 7 + int((at - datetime.datetime(2020, 1, 1)) / EVERY)) % 1009


def ordinary(end, days, delivered):
    """The rows of days before `end` on which all works. `delivered` has the events of a feed in an hour."""
    rows = []
    for of in FEEDS:
        at = end - days * 24 * HOUR
        while at < end:
            rows += runs(of, at)
            if at.minute == 0:
                rows += hour_rows(of, at, end, delivered(of, at))
            at += EVERY
    return rows


def runs(of, at):
    """A run. One in two hundred fails because Proofpoint has a fault, as each service has at times."""
    of_run = number(of, at)
    if of_run % 200 == 77:
        return [failed(of, at, "PPS2007", LagSeconds=900.0)]
    return [run(of, at, LagSeconds=60.0 * (1 + of_run % 5), Events=of_run % 40)]


def hour_rows(of, at, end, delivered):
    """What is said of an hour: first that it is whole, and later what its second reading brought. One hour in
    twenty is not read to its end at first."""
    of_hour = number(of, at)
    read, again = at + HOUR + READ_AFTER, at + HOUR + AGAIN_AFTER
    late = min(delivered, 2 if of_hour % 30 == 0 else 0)
    archive = min(delivered - late, of_hour % 4)
    parts = {"Live": delivered - late - archive, "Archive": archive}
    rows = [
        hour(of, at, read, delivered - late, "believed" if of_hour % 9 == 4 else "proved", **parts)
    ]
    if of_hour % 20 == 3:
        rows = [
            hour(of, at, read, 0, "unknown"),
            hour(of, at, read + HOUR, delivered - late, Attempts=2, **parts),
        ]
    if late:
        rows.append(hour(of, at, again, delivered, Attempts=2, Late=late, **parts))
    return [row for row in rows if row["TimeGenerated"] < end.isoformat()]


def faults(end):
    """The rows of the last hours before `end` with faults of each kind."""
    message, maillog, _, other, tap = FEEDS
    letters = {"DeadLetters": 6, "DeadLetterReasons": {"malformed": 1, "oversize": 2, "refused": 3}}
    revoked = [
        failed(other, end - n * EVERY + SECOND, "PPS2002", LagSeconds=9000.0) for n in range(1, 9)
    ]
    return [
        *revoked,
        run(message, end - 90 * MINUTE, **letters),
        run(maillog, end - 30 * SECOND, "unfinished", HoursDue=3, ConnectorVersion="0.3.0"),
        run(tap, end - 40 * SECOND, CallsUsed=1799, CallsLeft=1),
        hour(maillog, end - 5 * HOUR, end - HOUR, 1, "unknown", Attempts=3),
        hour(other, end - 3 * HOUR, end - 30 * MINUTE, 0, "lost"),
        hour(tap, end - 4 * HOUR, end - 30 * MINUTE, 5, "believed", Live=4, Archive=0, Late=1),
    ]
