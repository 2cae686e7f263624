"""What the panels of the tab TAP show, worked out from records without KQL."""

import collections
import datetime
import re

import expected_tap

LATENESS = datetime.timedelta(minutes=15)


def of(occurrence):
    """A record and what the functions say of it."""
    array, record = occurrence["array"], occurrence["record"]
    name, kind, _ = expected_tap.NAMES[array]
    users = [record["recipient"]] if kind == "click" else record["recipient"]
    return {
        "record": record,
        "name": name,
        "kind": kind,
        "at": expected_tap.own_time(record),
        "users": users,
        "threats": expected_tap.threats(array, record),
        "cluster": record.get("cluster") or "unknown",
    }


def hour(found):
    return found["at"].replace(minute=0, second=0)


def counted(rows, **columns):
    """A row for each combination of the columns, which are functions, with the count and its parts."""
    parts = columns.pop("parts", {})
    total = columns.pop("total")
    keys = list(columns)
    counts = collections.defaultdict(collections.Counter)
    for row in rows:
        key = tuple(columns[name](row) for name in keys)
        counts[key][total] += 1
        for part, name in parts.items():
            counts[key][part] += row["name"] == name
    return [
        dict(zip(keys, key, strict=True)) | {part: count[part] for part in [total, *parts]}
        for key, count in counts.items()
    ]


def messages(rows, *names):
    return [row for row in rows if row["kind"] == "message" and (not names or row["name"] in names)]


def clicks(rows, *names):
    return [row for row in rows if row["kind"] == "click" and (not names or row["name"] in names)]


def by_threat(rows, field):
    """A record with each value that a field of its threats has."""
    return [
        row | {field: value}
        for row in rows
        for value in {threat[field] or "unknown" for threat in row["threats"]}
    ]


def by_user(rows, default="unknown"):
    return [
        row | {"user": user}
        for row in rows
        for user in [each.lower() for each in row["users"]] or ([default] if default else [])
    ]


MESSAGES = {"Delivered": "messageDelivered", "Blocked": "messageBlocked"}
CLICKS = {"Permitted": "clicksPermitted", "Blocked": "clicksBlocked"}
USERS = MESSAGES | {"ClicksPermitted": "clicksPermitted", "ClicksBlocked": "clicksBlocked"}


def types(*names):
    def expected(rows):
        found = by_threat(messages(rows, *names), "ThreatType")
        return counted(found, total="Messages", ThreatType=lambda row: row["ThreatType"])

    return expected


def classification(row):
    return row["Classification"]


def domain(row):
    found = re.search(r"//(?:[^@/]*@)?(?:www\.)?([^:/?#]+)", row["record"]["url"])
    return found[1].lower() if found else "unknown"


def with_users(rows, expected, name, of_row):
    """The rows with the number of their users."""
    users = collections.defaultdict(set)
    for row in rows:
        users[of_row(row)].add(row["users"][0].lower())
    return [row | {"Users": len(users[row[name]])} for row in expected]


def clicked(name, of_row, rows, parts):
    return with_users(
        rows, counted(rows, total="Clicks", parts=parts, **{name: of_row}), name, of_row
    )


def campaigns(rows):
    """The campaigns, with their users."""
    found = collections.defaultdict(list)
    for row in rows:
        for campaign in {threat["CampaignId"] for threat in row["threats"]} - {""}:
            found[campaign].append(row)
    return [
        {
            "CampaignId": campaign,
            "Users": len({user.lower() for row in of_campaign for user in row["users"]}),
            "Delivered": len(messages(of_campaign, "messageDelivered")),
            "Blocked": len(messages(of_campaign, "messageBlocked")),
            "Clicks": len(clicks(of_campaign, "clicksPermitted")),
            "First": min(row["at"] for row in of_campaign),
            "Last": max(row["at"] for row in of_campaign),
        }
        for campaign, of_campaign in found.items()
    ]


def late(rows):
    """Delivered messages that were condemned later, for each recipient."""
    made = []
    for row in by_user(messages(rows, "messageDelivered"), default=None):
        found = [
            threat
            for threat in row["threats"]
            if threat["ThreatTime"] > row["at"] + LATENESS
            and threat["ThreatStatus"] not in ("cleared", "falsepositive")
        ]
        if not found:
            continue
        of_user = [
            each["at"]
            for each in by_user(clicks(rows, "clicksPermitted"))
            if each["record"]["GUID"] == row["record"]["GUID"] and each["user"] == row["user"]
        ]
        made.append(
            {
                "CondemnedAt": found[0]["ThreatTime"],
                "SentAt": row["at"],
                "MinutesLate": (found[0]["ThreatTime"] - row["at"])
                // datetime.timedelta(minutes=1),
                "User": row["user"],
                "Sender": row["record"]["sender"],
                "Subject": row["record"]["subject"],
                "ClicksPermitted": len(of_user),
                "LastClick": max(of_user, default=None),
                "Guid": row["record"]["GUID"],
            }
        )
    return made


def over_time(total, rows, **columns):
    return counted(rows, total=total, EventOriginalTime=hour, **columns)


SHOWN = {
    "tap-names": lambda rows: counted(rows, total="Records", EventName=lambda row: row["name"]),
    "tap-classification": lambda rows: counted(
        by_threat(messages(rows), "Classification"),
        total="Messages",
        parts=MESSAGES,
        Classification=classification,
    ),
    "tap-clicks": lambda rows: counted(
        by_threat(clicks(rows), "Classification"),
        total="Clicks",
        parts=CLICKS,
        Classification=classification,
    ),
    "tap-types-blocked": types("messageBlocked"),
    "tap-types-delivered": types("messageDelivered"),
    "tap-types": types(),
    "tap-classification-time": lambda rows: over_time(
        "Messages", by_threat(messages(rows), "Classification"), Classification=classification
    ),
    "tap-result-time": lambda rows: over_time(
        "Messages", messages(rows), EventName=lambda row: row["name"]
    ),
    "tap-clicks-time": lambda rows: over_time(
        "Clicks", clicks(rows), EventName=lambda row: row["name"]
    ),
    "tap-users": lambda rows: counted(
        by_user(rows), total="Records", parts=USERS, User=lambda row: row["user"]
    ),
    "tap-campaigns": campaigns,
    "tap-senders": lambda rows: counted(
        messages(rows, "messageBlocked"),
        total="Messages",
        Sender=lambda row: row["record"]["sender"] or "none or unknown",
    ),
    "tap-sender-ips": lambda rows: counted(
        messages(rows, "messageBlocked"),
        total="Messages",
        SenderIp=lambda row: row["record"]["senderIP"],
    ),
    "tap-routes": lambda rows: counted(
        [
            row | {"route": route}
            for row in messages(rows, "messageDelivered")
            for route in row["record"]["policyRoutes"] or ["none"]
        ],
        total="Messages",
        Route=lambda row: row["route"],
    ),
    "tap-domains": lambda rows: clicked("Domain", domain, clicks(rows), CLICKS),
    "tap-click-ips": lambda rows: clicked(
        "ClickIp", lambda row: row["record"]["clickIP"], clicks(rows, "clicksPermitted"), {}
    ),
    "tap-late": late,
}

# Panels that show the largest of their rows: how many, and by which column.
LARGEST = {
    "tap-users": (20, "Records"),
    "tap-campaigns": (20, "Users"),
    "tap-senders": (10, "Messages"),
    "tap-sender-ips": (10, "Messages"),
    "tap-routes": (10, "Messages"),
    "tap-domains": (20, "Clicks"),
    "tap-click-ips": (10, "Clicks"),
}


def in_range(rows, start, end):
    return [row for row in rows if start <= row["at"] <= end]
