"""The columns of the TAP functions, worked out from a record without KQL."""

import json

import times

# A record's fields whose text a column shows, in messages and in clicks.
TEXTS = {
    "message": {
        "EventOriginalUid": "GUID",
        "Guid": "GUID",
        "HeaderFrom": "headerFrom",
        "HeaderReplyTo": "headerReplyTo",
        "Id": "id",
        "MessageId": "messageID",
        "Qid": "QID",
        "QueueId": "QID",
        "QuarantineFolder": "quarantineFolder",
        "QuarantineRule": "quarantineRule",
        "Sender": "sender",
        "SenderIp": "senderIP",
        "SrcIpAddr": "senderIP",
        "Subject": "subject",
        "Xmailer": "xmailer",
    },
    "click": {
        "CampaignId": "campaignId",
        "ClickIp": "clickIP",
        "EventOriginalUid": "GUID",
        "Guid": "GUID",
        "Id": "id",
        "MessageId": "messageID",
        "Recipient": "recipient",
        "Sender": "sender",
        "SenderIp": "senderIP",
        "SrcIpAddr": "senderIP",
        "ThreatId": "threatID",
        "ThreatUrl": "threatURL",
        "Url": "url",
        "UserAgent": "userAgent",
    },
}
NUMBERS = {
    "ImpostorScore": "impostorScore",
    "MalwareScore": "malwareScore",
    "NetworkBytes": "messageSize",
    "PhishScore": "phishScore",
    "SpamScore": "spamScore",
}
LISTS = {
    "CcAddresses": "ccAddresses",
    "DstUsername": "toAddresses",
    "MessageParts": "messageParts",
    "ModulesRun": "modulesRun",
    "PolicyRoutes": "policyRoutes",
    "Recipient": "recipient",
    "ReplyToAddress": "replyToAddress",
    "SrcUsername": "fromAddress",
    "ThreatsInfoMap": "threatsInfoMap",
}
NAMES = {
    "messagesDelivered": ("messageDelivered", "message", "delivered"),
    "messagesBlocked": ("messageBlocked", "message", "blocked"),
    "clicksPermitted": ("clicksPermitted", "click", "permitted"),
    "clicksBlocked": ("clicksBlocked", "click", "blocked"),
}


def kind_of(array):
    return NAMES[array][1]


def text(value):
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def verdict_time(array, record):
    """When the newest verdict of a record was given."""
    if kind_of(array) == "click":
        found = [record.get("threatTime")]
    else:
        found = [threat.get("threatTime") for threat in record.get("threatsInfoMap") or []]
    return max(filter(None, map(times.read, found)), default=own_time(record))


def own_time(record):
    return times.read(record.get("messageTime") or record.get("clickTime"))


def event(array, record):
    """The columns of `ProofpointTAPEvent`. Lists are values, which are JSON text in the columns."""
    name, kind, result = NAMES[array]
    row = {
        "EventName": name,
        "EventType": kind,
        "EventResult": result,
        "EventVendor": "Proofpoint",
        "EventProduct": "Targeted Attack Protection",
        "EventCategory": "Application",
        "EventSubCategory": "Mail",
        "EventCount": 1,
        "EventEndTime": own_time(record),
        "EventOriginalTime": own_time(record),
        "VerdictTime": verdict_time(array, record),
        "Recipients": [record["recipient"]] if kind == "click" else record["recipient"] or None,
    }
    row |= {column: text(record.get(field)) for column, field in TEXTS[kind].items()}
    if kind == "click":
        row |= {
            "Classification": record["classification"].lower(),
            "ThreatStatus": record["threatStatus"].lower(),
            "ThreatTime": times.read(record["threatTime"]),
        }
        return row
    row |= {column: record.get(field) for column, field in NUMBERS.items()}
    row |= {column: record.get(field) or "" for column, field in LISTS.items()}
    row["Cluster"] = row["ClusterId"] = record.get("cluster") or record.get("clusterId")
    row["CompletelyRewritten"] = {"true": True, "false": False}.get(
        str(record.get("completelyRewritten")).lower()
    )
    return row


def differences(expected, row):
    """The columns of a row that are not as expected, with both values."""
    return {
        column: (value, row[column])
        for column, value in expected.items()
        if _plain(column, row[column]) != _plain(column, value)
    }


def _plain(column, value):
    if column in LISTS and isinstance(value, str) and value[:1] in "[{" and value:
        return json.loads(value) or ""
    return value


def threats(array, record):
    """The rows of `ProofpointTAPThreats`: the newest verdict on each threat."""
    if kind_of(array) == "click":
        found = [record | {"threat": record["url"], "threatType": "url"}]
    else:
        found = record.get("threatsInfoMap") or []
    rows = {}
    for threat in sorted(found, key=lambda each: times.read(each["threatTime"])):
        row = {
            "ThreatId": threat.get("threatID") or threat.get("threatId"),
            "ThreatStatus": text(threat.get("threatStatus")).lower(),
            "ThreatTime": times.read(threat["threatTime"]),
            "Classification": threat["classification"].lower(),
            "Threat": threat["threat"],
            "ThreatType": threat["threatType"].lower(),
            "ThreatUrl": threat.get("threatUrl") or threat.get("threatURL"),
            "CampaignId": text(threat.get("campaignID") or threat.get("campaignId")),
            "EventName": NAMES[array][0],
            "Guid": text(record.get("GUID")),
            "Id": text(record.get("id")),
        }
        rows[row["ThreatId"]] = row
    return list(rows.values())
