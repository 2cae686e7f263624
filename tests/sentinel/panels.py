"""What the panels of the workbook should show for events, computed without KQL."""

import collections
import json

import places
import times
from expected_columns import at


def key(message):
    return message.get("guid") or message["filter"]["qid"]


def cluster(event):
    return at(event, "metadata/origin/data/cid") or at(event, "pps/cid") or "unknown"


def of(path, empty="unknown"):
    """A function that returns an event's value at a path, or what is shown if it has none."""
    return lambda event: at(event, path) or empty


direction = of("filter/routeDirection")
disposition = of("filter/disposition", None)
folder = of("filter/quarantine/folder", "")
sender = of("envelope/from", "none or unknown")
recipients = of("envelope/rcpts")


def outcome(message):
    passed = "passed on, copy in quarantine" if folder(message) else "passed on"
    return {
        None: "unknown",
        "discard": "held in quarantine" if folder(message) else "discarded",
        "reject": "rejected",
        "retry": "deferred (retry)",
        "accept": passed,
        "continue": passed,
    }[disposition(message)]


def folder_and_rule(message):
    return folder(message), at(message, "filter/quarantine/rule")


def quarantine(message):
    passed = "copy, message passed on"
    other = f"other: {disposition(message)}"
    return {None: "unknown", "discard": "held", "accept": passed, "continue": passed}.get(
        disposition(message), other
    )


def final(message):
    found = next((action for action in at(message, "filter/actions") if action.get("isFinal")), {})
    return found.get("action", "no final action"), found.get("module", ""), found.get("rule", "")


def acted(modules):
    def rules(message):
        found = [action for action in at(message, "filter/actions") if action["module"] in modules]
        return [(action["module"], action["rule"], action["action"]) for action in found]

    return rules


def hour(event):
    return times.read(event["ts"]).replace(minute=0, second=0, microsecond=0)


def country(message):
    found = at(message, "connection/country")
    return "unknown" if found in (None, "**") else found


def domain(address):
    return address.rpartition("@")[2].lower() or "unknown"


def sender_domain(message):
    return domain(message["envelope"]["from"])


def recipient_domains(message):
    return sorted({domain(recipient) for recipient in recipients(message)})


def inbound_tls(message):
    version = at(message, "connection/tls/inbound/version")
    return {None: "not stated", "NONE": "no TLS"}.get(version, "TLS")


def inbound_cipher(message):
    tls = message["connection"]["tls"]["inbound"]
    return tls["version"], tls["cipher"], tls["cipherBits"]


def delivery_tls(line):
    version, verified = at(line, "tls/version"), at(line, "tls/verify")
    if version:
        return "no TLS" if version == "NONE" else "TLS"
    return {None: "not stated", "NONE": "no TLS"}.get(verified, "TLS")


def status(line):
    return at(line, "sm/stat")


def failure(line):
    """The kind of a failure; None if there is none."""
    code = at(line, "sm/dsn") or ""
    if not status(line) or code.startswith("2") or (not code and status(line).startswith("Sent")):
        return None
    return {"4": "deferred", "5": "failed"}.get(code[:1], "unknown")


def only(wanted, *values):
    """A filter of events by the value of a function."""
    return lambda events: [event for event in events if wanted(event) in values]


inbound = only(direction, "inbound")
outbound = only(direction, "outbound")
quarantined = only(lambda message: bool(folder(message)), True)
attempts = only(lambda line: bool(status(line)), True)


def counted(events, name, identity, columns):
    """Rows of the columns with the number of distinct events. A column has a name or several names, and
    a function that returns an event's value, or a list of values."""
    found = collections.defaultdict(set)
    for event in events:
        made = [()]
        for values in (value(event) for value in columns.values()):
            values = values if isinstance(values, list) else [values]
            made = [
                (*cells, *(value if isinstance(value, tuple) else (value,)))
                for cells in made
                for value in values
            ]
        for cells in made:
            found[cells].add(identity(event))
    names = " ".join(columns).split()
    return [
        dict(zip(names, cells, strict=True)) | {name: len(seen)} for cells, seen in found.items()
    ]


def messages(chosen=lambda events: events, **columns):
    """How many messages there are of each kind."""
    return lambda events: counted(chosen(events), "Messages", key, columns)


def events(name, chosen=lambda events: events, **columns):
    """How many events there are of each kind."""
    return lambda events: counted(
        chosen(events), name, lambda event: event.get("id") or event["guid"], columns
    )


def named(names, value):
    return {" ".join(names): value}


def pivoted(of_events, by, into, value):
    """Merges rows with the same `by` into one, with the counts in named columns."""

    def made(events):
        rows = {}
        for row in of_events(events):
            alike = {name: row[name] for name in by}
            merged = rows.setdefault(tuple(alike.values()), alike | dict.fromkeys(into.values(), 0))
            column = into.get(row[value], into.get("others"))
            merged[column] += row["Messages"]
        return list(rows.values())

    return made


def in_quarantine(names, value):
    into = {"held": "Held", "copy, message passed on": "Copies", "others": "Others"}
    return pivoted(
        messages(quarantined, **named(names, value), Quarantine=quarantine),
        names,
        into,
        "Quarantine",
    )


def stopped(column, value):
    """Messages that were not passed on, by a message's values."""

    def made(events):
        found = collections.defaultdict(
            lambda: {"Held": set(), "Discarded": set(), "Rejected": set()}
        )
        for event in events:
            kind = {
                "held in quarantine": "Held",
                "discarded": "Discarded",
                "rejected": "Rejected",
            }.get(outcome(event))
            for name in value(event) if isinstance(value(event), list) else [value(event)]:
                if kind:
                    found[name][kind].add(key(event))
        return [
            {column: name, "Stopped": len(set().union(*kinds.values()))}
            | {kind: len(keys) for kind, keys in kinds.items()}
            for name, kinds in found.items()
        ]

    return made


def tls_by_direction(events):
    into = {"TLS": "WithTls", "no TLS": "WithoutTls", "not stated": "NotStated"}
    rows = pivoted(messages(Direction=direction, Tls=inbound_tls), ["Direction"], into, "Tls")(
        events
    )
    for row in rows:
        row["MinimumTlsPercent"] = round(
            100 * row["WithTls"] / (row["WithTls"] + row["WithoutTls"] + row["NotStated"]), 1
        )
    return rows


def volume(chosen, column, domains):
    def made(events):
        sizes = collections.defaultdict(dict)
        for event in chosen(events):
            for of_event in (
                domains(event) if isinstance(domains(event), list) else [domains(event)]
            ):
                sizes[of_event][key(event)] = at(event, "filter/msgSizeBytes")
        return [
            {
                column: name,
                "Messages": len(found),
                "SizeBytes": sum(size or 0 for size in found.values()),
                "WithoutSize": list(found.values()).count(None),
            }
            for name, found in sizes.items()
        ]

    return made


def failures(lines):
    last = collections.defaultdict(list)
    for line in lines:
        if failure(line):
            last[failure(line), at(line, "sm/dsn"), status(line), at(line, "sm/relay")].append(
                times.read(line["ts"])
            )
    names = ["Kind", "Dsn", "Status", "Relay"]
    return [
        dict(zip(names, cells, strict=True)) | {"Attempts": len(found), "Last": max(found)}
        for cells, found in last.items()
    ]


def without_tls(lines):
    by_network = only(of("sm/mailer"), "esmtp", "relay", "smtp")(only(of("sm/dsn"), "2.0.0")(lines))
    rows = collections.Counter()
    for line in only(delivery_tls, "no TLS")(by_network):
        rows.update(domain(recipient.strip("<>")) for recipient in at(line, "sm/to") or [""])
    return [{"RecipientDomain": name, "Deliveries": count} for name, count in rows.items()]


def audit_users(audited):
    seen = collections.defaultdict(list)
    for event in audited:
        seen[of("audit/user/email")(event), of("audit/user/ipAddress")(event)].append(
            times.read(event["ts"])
        )
    return [
        {
            "User": user,
            "SourceIp": address,
            "Events": len(found),
            "First": min(found),
            "Last": max(found),
        }
        for (user, address), found in seen.items()
    ]


def threat(message):
    """The worst that the filter says of a message, as far as the sample traffic has it."""
    found = at(message, "filter/modules/spam/triggeredClassifier")
    scores = at(message, "filter/modules/spam/scores/classifiers") or {}
    if at(message, "filter/modules/av/virusNames"):
        return "virus"
    if scores.get("malware", 0) > 80:
        return "malware"
    return found if found in ("malware", "phish", "impostor") else ""


def passed_on_threats(messages):
    return [
        message
        for message in messages
        if outcome(message).startswith("passed on") and threat(message)
    ]


def placed(messages):
    """How many inbound messages came from each place."""
    by_place = messages_by_place(inbound(messages))
    return [
        {"Latitude": latitude, "Longitude": longitude, "Place": place, "Messages": len(keys)}
        for (latitude, longitude, place), keys in by_place.items()
    ]


def messages_by_place(messages):
    found = collections.defaultdict(set)
    for message in messages:
        if place := places.KNOWN.get(at(message, "connection/ip")):
            name = ", ".join(filter(None, [place.get("city"), place["country"]]))
            found[place["latitude"], place["longitude"], name].add(key(message))
    return found


CONNECTED = only(direction, "inbound", "unknown")
AUTHENTICATION = {"spf", "dkimv", "dmarc"}
OTHER_MODULES = {"spam", "dlp"}
RULE = ["Module", "Rule", "ActionTaken"]

SHOWN = {
    "message": {
        "overview-direction": messages(Tile=lambda message: ["all", direction(message)]),
        "overview-outcome": messages(Outcome=outcome),
        "overview-outcome-time": messages(EventOriginalTime=hour, Outcome=outcome),
        "overview-direction-time": messages(EventOriginalTime=hour, Direction=direction),
        "overview-final": messages(**named(["Action", "Module", "Rule"], final)),
        "overview-dmarc": messages(
            CONNECTED, Dmarc=of("filter/modules/dmarc/filterdResult", "no result")
        ),
        "overview-classifier": messages(
            only(
                lambda message: bool(at(message, "filter/modules/spam/triggeredClassifier")), True
            ),
            SpamType=of("filter/modules/spam/triggeredClassifier"),
        ),
        "overview-threats": messages(passed_on_threats, Threat=threat),
        "overview-threats-time": messages(passed_on_threats, EventOriginalTime=hour, Threat=threat),
        "overview-map": placed,
        "overview-senders": messages(Sender=sender),
        "overview-recipients": messages(Recipient=recipients),
        "overview-countries": messages(inbound, Country=country),
        "tls-in-direction": tls_by_direction,
        "tls-in-time": messages(inbound, EventOriginalTime=hour, Tls=inbound_tls),
        "tls-in-versions": messages(
            only(inbound_tls, "TLS"),
            **named(["TlsVersion", "Cipher", "TlsCipherBits"], inbound_cipher),
        ),
        "tls-in-domains": messages(
            lambda events: only(inbound_tls, "no TLS", "not stated")(inbound(events)),
            SenderDomain=sender_domain,
            Tls=inbound_tls,
        ),
        "quarantine-kinds": messages(quarantined, Quarantine=quarantine),
        "quarantine-time": messages(quarantined, EventOriginalTime=hour, Folder=folder),
        "quarantine-kind-time": messages(
            quarantined, EventOriginalTime=hour, Quarantine=quarantine
        ),
        "quarantine-folders": in_quarantine(["Folder", "Rule"], folder_and_rule),
        "quarantine-recipients": stopped("Recipient", recipients),
        "quarantine-senders": stopped("Sender", sender),
        "reports-authentication": messages(**named(RULE, acted(AUTHENTICATION))),
        "reports-rules": messages(**named(RULE, acted(OTHER_MODULES))),
        "reports-sender-domains": volume(inbound, "SenderDomain", sender_domain),
        "reports-recipient-domains": volume(outbound, "RecipientDomain", recipient_domains),
    },
    "maillog": {
        "tls-out": events(
            "Attempts",
            attempts,
            Mailer=of("sm/mailer"),
            DeliveryTls=delivery_tls,
            Verification=of("tls/verify", "not stated"),
        ),
        "tls-out-domains": without_tls,
        "reports-failures": failures,
        "reports-transport": events(
            "Attempts", attempts, Mailer=of("sm/mailer"), Dsn=of("sm/dsn", "none")
        ),
    },
    "audit": {
        "audit-time": events("Events", EventOriginalTime=hour, Action=of("audit/action")),
        "audit-types": events(
            "Events",
            ResourceType=of("audit/resourceType"),
            Action=of("audit/action"),
            Level=of("audit/level"),
        ),
        "audit-users": audit_users,
    },
}

# Panels that show the largest of their rows: how many, and by which column.
LARGEST = {
    "overview-final": (25, "Messages"),
    "overview-senders": (10, "Messages"),
    "overview-recipients": (10, "Messages"),
    "overview-countries": (10, "Messages"),
    "tls-in-domains": (10, "Messages"),
    "quarantine-recipients": (10, "Stopped"),
    "quarantine-senders": (10, "Stopped"),
}


def plain(row):
    """A row as comparable text: without empty values, and with one form for numbers."""

    def written(value):
        return round(float(value), 6) if isinstance(value, (int, float)) else str(value)

    return json.dumps(
        {name: written(value) for name, value in row.items() if value not in (None, "")},
        sort_keys=True,
    )
