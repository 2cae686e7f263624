"""The queries in the documentation, and the results they should show."""

import collections
import datetime
import json
import re
import tempfile

import card
import connector_rows
import events
import tap
import tap_records
import times
from kql import INGESTED, ROOT
from test_parser import NAMES
from traffic import BILLED

FENCE = re.compile(r"^ *```(?:kusto|kql)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

# Columns of Azure's own tables, from Microsoft's reference.
AZURE = {"AppTraces": {"TimeGenerated": "datetime", "Message": "string"}}

MESSAGES, MAILLOG, _ = NAMES.values()
CLICKS = tap.TABLES["clicksPermitted"]
LEGACY = "ProofpointPOD_message_CL"


def pages():
    return [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "sentinel" / "README.md",
    ]


def queries():
    """Each query by its page and its number on the page."""
    found = {}
    for page in pages():
        for number, query in enumerate(FENCE.findall(page.read_text(encoding="utf-8"))):
            found[f"{page.relative_to(ROOT)} {number + 1}"] = query
    return found


def tables():
    """The events of card.py, some of them twice, with billed sizes, and the program's log."""
    made = card.tables(card.events_of())
    for name in [MESSAGES, MAILLOG]:
        made[name][1].extend(
            [row | {INGESTED: row["TimeGenerated"]} for row in made[name][1][:20:4]]
        )
    made[MESSAGES][1][1]["AdditionalFields"] = {"connectorNotes": ["a note"]}
    made |= connector_rows.stored("columns", hours())
    for _, rows in made.values():
        for number, row in enumerate(rows):
            row[BILLED] = 1000.0 + number
    made = {name: (columns | {BILLED: "real"}, rows) for name, (columns, rows) in made.items()}
    return made | records() | {"AppTraces": (AZURE["AppTraces"], traces())}


def records():
    """Records of TAP: a click that was cleared since, whose first verdict arrived last; one on a message of
    the gateway, which arrived twice; and two without an id."""
    hours = {count: tap_records.ago(hours=count) for count in [1, 2, 3]}
    cleared = tap_records.click(GUID="other", at=hours[3], threatTime=hours[2])
    later = {"threatStatus": "cleared", "threatTime": hours[1]}
    active = tap_records.click(GUID="guid 3")
    made = [
        tap_records.message(),
        tap_records.blocked(),
        tap_records.click("clicksBlocked"),
        cleared,
        cleared | {"record": cleared["record"] | later},
        active,
        active,
        *[tap_records.click(url=f"https://bad.example/{number}", id=None) for number in [1, 2]],
    ]
    stored = tap_records.stored("columns", made)
    for row in stored[CLICKS][1]:
        if row.get("GUID") == "other" and row["threatStatus"] == "active":
            row["TimeGenerated"] = card.stamp(card.NOW)
    return stored


def hours():
    """Rows of the connector: of a run, of an hour with an older state, and of hours of two feeds."""
    an_hour = datetime.timedelta(hours=1)
    log, account = connector_rows.feed(), connector_rows.feed("tap", "default")
    of = card.NOW.replace(minute=0, second=0, microsecond=0) - 3 * an_hour
    return [
        connector_rows.run(log, card.NOW),
        connector_rows.hour(log, of, of + an_hour, 5, "unknown"),
        connector_rows.hour(log, of, of + 2 * an_hour, 7),
        connector_rows.hour(account, of, of + 2 * an_hour, 2),
        connector_rows.hour(log, of - 8 * 24 * an_hour, of, 9, "lost"),
    ]


def newest_hours(made):
    _, _, newest, of_account, _ = made[connector_rows.TABLE][1]
    names = ["Source", "Account", "FeedType", "Completeness", "Delivered", "Live"]
    return [{name: row[name] for name in names} for row in [newest, of_account]]


def traces():
    """The log of a demo, and some errors and warnings."""
    with tempfile.TemporaryDirectory() as directory:
        logged = events.logged(directory)
    for level, text in [
        ("ERROR", "refused"),
        ("ERROR", "refused"),
        ("WARN", "slow"),
        ("INFO", "well"),
    ]:
        logged.append(
            json.dumps(
                json.loads(logged[-1])
                | {"level": level, "message": text, "target": "proofpoint_sentinel::log"}
            )
        )
    row = {"TimeGenerated": card.stamp(card.NOW)}
    prose = row | {"Message": "Executing 'Functions.ProofpointPOD'"}
    return [prose, *(row | {"Message": line} for line in logged)]


def runnable(query):
    """The query for engines that do not have some functions."""
    query = query.replace("ingestion_time()", INGESTED).replace("count_distinct(", "dcount(")
    query = re.sub(r'column_ifexists\("(\w+)", datetime\(null\)\)', r"\1", query)
    return re.sub(
        r"percentiles\((\w+), (\d+), (\d+)\)",
        r"P\2 = percentile(\1 / 1s, \2), P\3 = percentile(\1 / 1s, \3)",
        query,
    )


def happened(row):
    """The time of a row's event, for both APIs."""
    return times.read(row.get("eventTime") or row["ts_t"])


def since(hours, rows, column="TimeGenerated"):
    first = (card.NOW - datetime.timedelta(hours=hours)).replace(tzinfo=None)
    return [row for row in rows if times.read(row[column]) > first]


def newest(*names, counted="Rows", last="Newest"):
    def shown(made):
        found = {name: since(48, made[name][1]) for name in names}
        return [
            {"Table": name, counted: len(rows), last: max(map(happened, rows))}
            for name, rows in found.items()
            if rows
        ]

    return shown


def billed(made):
    found = {name: [row[BILLED] for row in since(7 * 24, made[name][1])] for name in NAMES.values()}
    return [
        {"Table": name, "GB": sum(sizes) / 1e9, "BytesOfARow": sum(sizes) / len(sizes)}
        for name, sizes in found.items()
    ]


def parsed(made):
    """The lines that the program logged."""
    return [
        json.loads(row["Message"]) for row in made["AppTraces"][1] if row["Message"].startswith("{")
    ]


def said(*levels):
    def shown(made):
        counted = collections.Counter(
            (line["level"], line["message"]) for line in parsed(made) if line["level"] in levels
        )
        rows = [
            {"Text": text, "Times": times, "Level": level}
            for (level, text), times in counted.items()
        ]
        return (
            rows
            if len(levels) > 1
            else [{"Text": row["Text"], "Times": row["Times"]} for row in rows]
        )

    return shown


def reports(made):
    names = [
        "feed",
        "events",
        "delivered",
        "repaired",
        "duplicates",
        "dead_letters",
        "hours_done",
        "hours_waiting",
    ]
    lines = [
        line
        for line in parsed(made)
        if line["target"] == "proofpoint_sentinel::report" and "events" in line
    ]
    # A feed without delivered events has no lag.
    return [
        {name: line[name] for name in names} | {"lag_seconds": line.get("lag_seconds")}
        for line in lines
    ]


def posts(made):
    return [
        {
            "ClientRequestId": line["request_id"],
            "Table": line["table"],
            "Answer": line["answer"],
            # Posts to the connector's own table belong to no feed.
            "Feed": next((span["feed"] for span in line["spans"] if "feed" in span), ""),
        }
        for line in parsed(made)
        if line["message"] == "post answered"
    ]


def once(table, key, hours, column="TimeGenerated"):
    """The row of each event that arrived last."""

    def shown(made):
        last = {}
        for row in since(hours, made[table][1], column):
            if row[key] not in last or row[INGESTED] > last[row[key]]:
                last[row[key]] = row[INGESTED]
        return [{key: name} for name in last]

    return shown


def by_disposition(made):
    events_of = {}
    for row in since(30 * 24, made[MESSAGES][1], "eventTime") + since(
        30 * 24, made[LEGACY][1], "ts_t"
    ):
        disposition = (
            row["filter"]["disposition"] if "filter" in row else row["filter_disposition_s"]
        )
        events_of[row.get("guid") or row["guid_s"]] = (
            disposition,
            happened(row).replace(hour=0, minute=0, second=0),
        )
    counted = collections.Counter(events_of.values())
    return [
        {"disposition": disposition, "eventTime": day, "Messages": count}
        for (disposition, day), count in counted.items()
    ]


def by_hour(hours, column, *, repeated=False):
    def shown(made):
        guids = collections.defaultdict(list)
        for row in since(hours, made[MESSAGES][1], column):
            guids[happened(row).replace(minute=0, second=0, microsecond=0)].append(row["guid"])
        rows = [
            {"Hour": hour, "Rows": len(found), "Events": len(set(found))}
            for hour, found in guids.items()
        ]
        return [row for row in rows if not repeated or row["Rows"] > row["Events"]]

    return shown


def late(made):
    """The delay of the rows of the last hour. The only row exists twice, once without a delay."""
    [at] = {row["TimeGenerated"] for row in since(1, made[MESSAGES][1])}
    at = times.read(at)
    return [
        {
            "TimeGenerated": at.replace(minute=at.minute // 10 * 10, second=0),
            "P50": 0,
            "P95": card.DELAY.total_seconds(),
        }
    ]


def noted(made):
    return [{"guid": row["guid"]} for row in made[MESSAGES][1] if row.get("AdditionalFields")]


def arrived(made):
    return [
        {
            "Table": name,
            "Rows": len(rows),
            "Newest": max(times.read(row["TimeGenerated"]) for row in rows),
        }
        for name, (_, rows) in made.items()
        if name in tap.TABLES.values()
    ]


def clicked(made):
    """Permitted clicks whose newest verdict is active."""
    rows = sorted(made[CLICKS][1], key=lambda row: times.read(times.in_utc(row["threatTime"])))
    last = {row.get("id") or row["url"]: row for row in rows}
    return [
        {"url": row["url"], "recipient": row["recipient"]}
        for row in last.values()
        if row["threatStatus"] == "active"
    ]


def clicked_messages(made):
    dispositions = {row["guid"]: row["filter"]["disposition"] for row in made[MESSAGES][1]}
    pairs = {(row["GUID"], row["recipient"]) for row in made[CLICKS][1]}
    return [
        {"guid": guid, "recipient": recipient, "disposition": dispositions[guid]}
        for guid, recipient in pairs
        if guid in dispositions
    ]


BEHIND = newest(*NAMES.values())

SHOWN = {
    "README.md 1": BEHIND,
    "docs/completeness.md 1": newest_hours,
    "docs/cost.md 1": billed,
    "docs/deploy.md 1": BEHIND,
    "docs/deploy.md 2": said("ERROR"),
    "docs/limits.md 1": once(MESSAGES, "guid", 24),
    "docs/migrate.md 1": newest(LEGACY, MESSAGES, MAILLOG),
    "docs/migrate.md 2": by_disposition,
    "docs/migrate.md 3": once(MESSAGES, "guid", 7 * 24, "eventTime"),
    "docs/migrate.md 4": once(MAILLOG, "id", 7 * 24, "eventTime"),
    "docs/migrate.md 5": by_hour(7 * 24, "eventTime", repeated=True),
    "docs/operate.md 1": reports,
    "docs/operate.md 2": said("ERROR", "WARN"),
    "docs/operate.md 3": BEHIND,
    "docs/operate.md 4": by_hour(48, "TimeGenerated"),
    "docs/operate.md 5": posts,
    "docs/operate.md 6": late,
    "docs/rows.md 1": noted,
    "docs/tap.md 1": arrived,
    "docs/tap.md 2": clicked,
    "docs/tap.md 3": clicked_messages,
}
