"""What the panels over the connector's table show, worked out from its rows without KQL."""

import collections
import datetime

import times
from connector_rows import HOUR

WORDS = {"unknown": "open"}


def at(row):
    """The time of a row as the panels take it: that of its hour, or of the run's end."""
    return times.read(row.get("Hour") or row["TimeGenerated"])


def name(row):
    return f"{row['Account']}-{row['FeedType']}"


def said_at(row):
    return times.read(row["TimeGenerated"])


def chosen(rows, start, end, cluster="'*'"):
    """The rows of a time range and of some clusters. TAP accounts are of no cluster."""
    return [
        row
        for row in rows
        if start <= at(row) <= end
        and (cluster == "'*'" or row["Source"] == "tap" or f"'{row['Account']}'" in cluster)
    ]


def runs(rows):
    return [row for row in rows if row["RecordType"] == "run"]


def hours(rows):
    """The newest row of each hour of a feed."""
    newest = {}
    for row in sorted((row for row in rows if row["RecordType"] == "hour"), key=said_at):
        newest[name(row), row["Hour"]] = row
    return list(newest.values())


def grouped(rows, *keys):
    found = collections.defaultdict(list)
    for row in rows:
        found[tuple(key(row) for key in keys)].append(row)
    return found.items()


def state(row, now):
    if now - said_at(row) > 2 * HOUR:
        return "no run"
    if row["Outcome"] == "failed":
        return "failed"
    return "catching up" if row["HoursDue"] else "up to date"


def feeds(rows, now):
    made = []
    for (of,), of_feed in grouped(runs(rows), name):
        row = max(of_feed, key=said_at)
        ages = {"HoursSinceRun": round((now - said_at(row)) / HOUR, 1)}
        same = ["HoursDue", "HoursLost", "CallsLeft", "ConnectorVersion", "Code", "Reason"]
        made.append(
            ages
            | {column: row.get(column) for column in same}
            | {"Feed": of, "State": state(row, now), "LastRun": said_at(row)}
            | {"LagMinutes": round(row["LagSeconds"] / 60, 1)}
            | {"NewestEvent": times.read(row["NewestEvent"])}
        )
    return made


def binned(row):
    return said_at(row).replace(minute=0, second=0, microsecond=0)


def lag(rows, _):
    return [
        {"TimeGenerated": when, "Feed": of, "LagMinutes": round(longest / 60, 1)}
        for (when, of), found in grouped(runs(rows), binned, name)
        for longest in [max(row["LagSeconds"] for row in found)]
    ]


def dead_letters(rows, _):
    def stored(found, reason):
        return sum(row.get("DeadLetterReasons", {}).get(reason, 0) for row in found)

    reasons = ["malformed", "oversize", "refused"]
    return [
        {"TimeGenerated": when} | {each.capitalize(): stored(found, each) for each in reasons}
        for (when,), found in grouped(runs(rows), binned)
    ]


def calendar(rows, _):
    made = []
    for (of, day), found in grouped(hours(rows), name, lambda row: at(row).date()):
        cells = dict.fromkeys((f"H{number:02}" for number in range(24)), "")
        for row in found:
            cells[f"H{at(row):%H}"] = WORDS.get(row["Completeness"], row["Completeness"])
        made.append({"Feed": of, "Day": day.isoformat()} | cells)
    return made


def completeness(rows, _):
    made = []
    for (of,), found in grouped(hours(rows), name):
        states = collections.Counter(row["Completeness"] for row in found)
        counts = {"Proved": states["proved"], "Believed": states["believed"]}
        counts |= {"Open": states["unknown"], "Lost": states["lost"], "Hours": len(found)}
        for column, shown in [("Archive", "Repaired"), ("Late", "Late")]:
            counts[f"{shown}Hours"] = sum(row[column] > 0 for row in found)
            counts[f"{shown}Events"] = sum(row[column] for row in found)
        counts["LiveEvents"] = sum(row["Live"] for row in found)
        counts["DeadLetters"] = sum(row["DeadLetters"] for row in found)
        made.append({"Feed": of} | counts)
    return made


def not_whole(rows, _):
    return [
        {
            "Hour": at(row),
            "Feed": name(row),
            "State": WORDS.get(row["Completeness"], row["Completeness"]),
            "Attempts": row["Attempts"],
            "Delivered": row["Delivered"],
            "LastTold": said_at(row),
        }
        for row in hours(rows)
        if row["Completeness"] in ("unknown", "lost")
    ]


def failures(rows, _):
    broken = [row for row in runs(rows) if row["Outcome"] == "failed"]
    return [
        {"Code": code, "Feed": of, "Runs": len(found), "Reason": found[0]["Reason"]}
        | {"First": min(map(said_at, found)), "Last": max(map(said_at, found))}
        for (code, of), found in grouped(broken, lambda row: row["Code"], name)
    ]


def calls(rows, _):
    of_tap = [row for row in runs(rows) if row["Source"] == "tap"]
    return [
        {"TimeGenerated": when, "Account": of, "CallsLeft": min(row["CallsLeft"] for row in found)}
        for (when, of), found in grouped(of_tap, binned, lambda row: row["Account"])
    ]


def versions(rows, _):
    return [
        {"ConnectorVersion": version, "Runs": len(found), "Feeds": len(set(map(name, found)))}
        | {"First": min(map(said_at, found)), "Last": max(map(said_at, found))}
        for (version,), found in grouped(runs(rows), lambda row: row["ConnectorVersion"])
    ]


SHOWN = {
    "connector-feeds": feeds,
    "connector-lag": lag,
    "connector-dead-letters": dead_letters,
    "connector-calendar": calendar,
    "connector-completeness": completeness,
    "connector-open": not_whole,
    "connector-failures": failures,
    "connector-calls": calls,
    "connector-versions": versions,
}


def compared(rows, found, start, end):
    """The hours that are compared with what the tables hold, which `found` has by feed and hour."""
    settled = end - 2 * HOUR - datetime.timedelta(seconds=40)
    made = []
    for row in hours(rows):
        if start <= at(row) <= end and row["Delivered"] and said_at(row) <= settled:
            there = found.get((name(row), at(row)), 0)
            lacking = max(0, row["Delivered"] - there)
            made.append(row | {"Feed": name(row), "Found": there, "Missing": lacking})
    return made
