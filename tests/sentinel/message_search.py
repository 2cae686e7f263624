"""The searches of the tab Message Summary, and the rows of its list, computed without KQL."""

import panels
import times
import traffic


def subject(message):
    return (panels.at(message, "msg/header/subject") or [""])[0]


def of_line(text):
    """The Message-IDs of the mail log lines with a queue id."""
    return {
        line["sm"].get("msgid")
        for line in traffic.maillog()
        if line["sm"].get("qid", "").casefold() == text
    } - {None}


def is_found(message, text):
    """Whether the search for an id, an address, a hash, a URL or a file name finds a message."""
    text = text.casefold()
    whole = [message.get("guid", ""), message["filter"]["qid"], message["connection"]["ip"]]
    inside = list(message["msg"]["header"].get("message-id", []))
    for part in message["msgParts"]:
        inside += [part.get(name, "") for name in ["labeledName", "detectedName", "md5", "sha256"]]
        inside += [link["url"] for link in part.get("urls", [])]
    if of_line(text) & set(message["msg"]["header"].get("message-id", [])):
        return True
    return text in map(str.casefold, whole) or any(text in each.casefold() for each in inside)


def passes(message, filters):
    """Whether a message matches the filters."""
    texts = {
        "Sender": [message["envelope"]["from"], message["msg"]["header"]["from"][0]],
        "Recipient": panels.recipients(message),
        "Subject": [subject(message)],
    }
    typed = [
        any(filters.get(name, "").casefold() in text.casefold() for text in found)
        for name, found in texts.items()
    ]
    if filters.get("Find") and not is_found(message, filters["Find"]):
        return False
    return all(typed) and filters.get("Direction", "all") in ("all", panels.direction(message))


def listed(message):
    """A message's row in the list."""
    paths = {
        "Recipients": "envelope/rcpts",
        "QuarantineFolder": "filter/quarantine/folder",
        "Dmarc": "filter/modules/dmarc/filterdResult",
        "SenderIp": "connection/ip",
        "Country": "connection/country",
        "TlsVersion": "connection/tls/inbound/version",
        "SizeBytes": "filter/msgSizeBytes",
        "QueueId": "filter/qid",
        "Guid": "guid",
    }
    row = {name: panels.at(message, path) for name, path in paths.items()}
    row |= {
        "EventOriginalTime": times.read(message["ts"]),
        "Direction": panels.direction(message),
        "Outcome": panels.outcome(message),
    }
    row |= {
        "Sender": message["envelope"]["from"],
        "Subject": subject(message),
        "Cluster": panels.cluster(message),
    }
    row |= {"MessageId": message["msg"]["header"].get("message-id", [""])[0]}
    action, *rest = panels.final(message)
    return row | dict(
        zip(
            ["FinalAction", "FinalModule", "FinalRule"],
            [action.replace("no final action", ""), *rest],
            strict=True,
        )
    )
