"""Times as Proofpoint writes them."""

import datetime
import re

SHAPE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:?\d\d)")


def read(text):
    """A time in UTC, in whole microseconds; None if the text is not a time."""
    found = SHAPE.fullmatch(text or "")
    if not found:
        return None
    seconds, fraction, offset = found.groups()
    time = datetime.datetime.fromisoformat(f"{seconds}{(fraction or '.0').ljust(7, '0')}{offset}")
    return time.astimezone(datetime.UTC).replace(tzinfo=None)


def in_utc(text):
    """The time as a workspace stores it; None if the text is not a time."""
    time = read(text)
    return time and f"{time.isoformat()}Z"
