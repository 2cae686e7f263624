"""Events for the cases of the analytic rules, and the rows that the connector makes from them.

An event is a template for any sender: `{sender}`, `{name}` and `{domain}` stand for the address of its
case, `{SENDER}` for the address in capitals, and `{id}` for a unique id."""

import datetime
import json
import uuid

import events
from kql import INGESTED
from test_parser import NAMES, TABLES, collected

NOW = datetime.datetime.now(datetime.UTC)

# When rules run on the cases, however long after they were made: rules look at minutes.
RUN = (NOW + datetime.timedelta(seconds=1)).replace(tzinfo=None)


def ago(**duration):
    return (NOW - datetime.timedelta(**duration)).isoformat()


def message(
    route,
    to=("one@acme.example",),
    parts=(),
    header=None,
    sender="{sender}",
    cluster="acme_hosted",
    **members,
):
    """A message that has just arrived. `sent` and `ingested` are times, and `listed` is what a threat
    indicator lists. The other members belong to the filter, except the connection."""
    of_event = {key: members.pop(key, None) for key in ["sent", "ingested", "connection", "listed"]}
    fields = {
        "routeDirection": route,
        "disposition": "continue",
        "msgSizeBytes": 1000,
        "modules": {},
    } | members
    event = events.message(
        "{id}",
        ts=of_event["sent"] or ago(minutes=2),
        envelope={"from": sender, "rcpts": list(to)},
        msg={
            "header": {"message-id": ["<{id}@mail.example>"], "subject": ["About {sender}"]}
            | (header or {})
        },
        metadata={"origin": {"data": {"cid": cluster}}},
        msgParts=list(parts),
        filter=fields,
    )
    if of_event["connection"]:
        event["connection"] = of_event["connection"]
    return {
        "kind": "message",
        "event": event,
        "ingested": of_event["ingested"] or ago(),
        "listed": of_event["listed"],
    }


def inbound(parts=(), **members):
    return message("inbound", parts=parts, **members)


def outbound(to=("someone@other.example",), parts=(), **members):
    return message("outbound", to, parts, **members)


def spam(triggered=None, overall=10, **classifiers):
    """The result of the spam module for a message."""
    said = {"scores": {"overall": overall, "engine": overall, "classifiers": classifiers}}
    return {"spam": said | ({"triggeredClassifier": triggered} if triggered else {})}


def audit(
    action,
    kind,
    resource="",
    category="",
    details="",
    ip="192.0.2.1",
    cluster="acme_hosted",
    sent=None,
    ingested=None,
):
    """An action of an administrator, with the tags in Proofpoint's order."""
    values = {"eventSubCategory": category, "eventDetails": details, f"{action}.{category}": "true"}
    tags = [{"name": name, "value": value} for name, value in values.items()]
    done = {
        "action": action,
        "level": "INFO",
        "resourceType": kind,
        "resourceName": resource,
        "tags": tags,
    }
    done["user"] = {"email": "{sender}", "id": "{id}", "ipAddress": ip}
    event = {"guid": "{id}", "ts": sent or ago(minutes=2), "audit": done}
    event["metadata"] = {"origin": {"data": {"cid": cluster}}}
    return {"kind": "audit", "event": event, "ingested": ingested or ago(), "listed": None}


def maillog(cluster="acme_hosted", sent=None, ingested=None, listed=None, **members):
    """A line of the mail log."""
    event = {"id": "{id}", "ts": sent or ago(minutes=2), "data": "a line", "pps": {"cid": cluster}}
    event |= {"metadata": {"origin": {"data": {"cid": cluster}}}, "sm": {"qid": "{id}"}} | members
    return {"kind": "maillog", "event": event, "ingested": ingested or ago(), "listed": listed}


def of_case(occurrence, address):
    """The event of a case as text."""
    name, domain = address.split("@")
    text = json.dumps(occurrence["event"])
    values = {
        "sender": address,
        "SENDER": address.upper(),
        "name": name,
        "domain": domain,
        "id": uuid.uuid4().hex[:31] + "-",
    }
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def stored(shape, addressed):
    """The tables of a workspace with the events, which are given as (occurrence, address)."""
    tables = {}
    for kind in events.TYPES:
        of_kind = [
            (occurrence, address) for occurrence, address in addressed if occurrence["kind"] == kind
        ]
        if not of_kind:
            continue
        rows = events.rows(kind, shape, [of_case(*each) for each in of_kind])
        name, columns = NAMES[kind], TABLES[NAMES[kind]]
        if shape == "legacy":
            name = f"ProofpointPOD_{kind}_CL"
            columns, rows = collected(rows)
        ingested = [occurrence["ingested"] for occurrence, _ in of_kind]
        by = [occurrence.get("collected_by") for occurrence, _ in of_kind]
        column = "CollectedBy" if shape == "columns" else "CollectedBy_s"
        tables[name] = (
            columns,
            [
                row | {INGESTED: at} | ({column: how} if how else {})
                for row, at, how in zip(rows, ingested, by, strict=True)
            ],
        )
    return tables
