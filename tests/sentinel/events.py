"""Events to try the parser on, and the rows that the connector makes of them."""

import functools
import json
import pathlib
import re
import subprocess
import sys

from kql import ROOT

TYPES = ["message", "maillog", "audit"]
FIXTURES = ROOT / "tests" / "fixtures" / "pod"


def read(path):
    """The events of a file, one a line, as text."""
    return path.read_text(encoding="utf-8").splitlines()


def load(text):
    """An event or a row as a value. Numbers beyond all bounds, which Python would write as no JSON,
    become the largest there is."""
    return json.loads(text, parse_float=lambda number: min(float(number), sys.float_info.max))


@functools.cache
def program(*target):
    """A program of the repository, built."""
    command = ["cargo", "build", "--locked", "--quiet", "--message-format", "json", *target]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    made = [json.loads(line).get("executable") for line in built.stdout.splitlines()]
    return next(filter(None, reversed(made)))


def rows(event_type, shape, events):
    """The connector's rows for events as text."""
    return [
        load(line) for line in _made(event_type, shape, "".join(f"{event}\n" for event in events))
    ]


@functools.cache
def _made(event_type, shape, text):
    command = [program("--example", "rows"), event_type, shape]
    made = subprocess.run(
        command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=True
    )
    return made.stdout.splitlines()


def hand_made(event_type):
    """The fixtures of the connector's own tests, and what they lack."""
    events = read(FIXTURES / f"{event_type}.ndjson")
    if event_type == "message":
        events += map(json.dumps, [bare(), with_verdicts(), with_urls(), with_large_parts()])
    if event_type == "maillog":
        events += map(json.dumps, [line_without_id("one line"), line_without_id("another")])
    return events


def message(guid, **members):
    """A message that was delivered."""
    event = {
        "guid": guid,
        "ts": "2026-11-20T10:00:00.000001-0700",
        "connection": {"ip": "192.0.2.20", "sid": f"sid-{guid}"},
        "envelope": {"from": "sender@partner.example", "rcpts": ["one@acme.example"]},
        "filter": {"disposition": "continue", "qid": f"qid-{guid}", "routeDirection": "inbound"},
        "metadata": {"origin": {"data": {"cid": "acme_hosted"}}},
        "msg": {"header": {"message-id": [f"<{guid}@partner.example>"]}},
        "msgParts": [],
    }
    return event | members


def bare():
    """No id, no parts, no cluster but that of old builds."""
    event = message("", metadata={}, pps={"cid": "old_hosted", "agent": "m1", "version": "8.14"})
    del event["guid"], event["msgParts"]
    return event


def with_verdicts():
    """Two rules of one module; the final action is not the last one; the score is a number."""
    actions = [
        {"module": "spf", "action": "continue", "rule": "strict_pass"},
        {"action": "continue", "module": "spf", "rule": "pass"},
        {"rule": "policy", "isFinal": True, "module": "dkimv", "action": "discard"},
        {"action": "continue", "module": "dmarc", "rule": "none"},
    ]
    modules = {
        "zerohour": {"score": 7},
        "pdr": {"v2": {"response": "PASS", "rscore": 12}},
        "av": {"virusNames": ["EICAR"]},
        "spam": {
            "scores": {"overall": 60, "engine": 61, "classifiers": {"mlxlog": -1000, "phish": 2}},
            "triggeredClassifier": "phish",
        },
    }
    fields = message("verdicts")["filter"]
    return message("verdicts", filter=fields | {"actions": actions, "modules": modules})


def with_urls():
    """Addresses of which some repeat, some need escapes, and one only looks like one."""
    url = {"url": 'https://example.org/?q="a\\b"', "src": ["filter"], "isRewritten": False}
    parts = [
        {
            "labeledName": "",
            "urls": [url, url, {"src": ["urldefense"], "url": "https://example.org/é"}],
        },
        {"labeledName": "x.zip", "urls": [], "metadata": {"title": '"url":"https://no.example"'}},
        {"labeledName": "third"},
    ]
    return message("urls", msgParts=parts)


def with_large_parts():
    """Parts that no single column holds, in either shape."""
    noise = "noise " * 3_400
    parts = [
        {"structureId": str(n), "labeledName": f"ü{n}", "metadata": {"t": noise}} for n in range(6)
    ]
    return message("large", msgParts=parts)


def line_without_id(data):
    """A line of the mail log that has neither an id nor a queue."""
    return {"ts": "2026-11-20T10:00:00.5Z", "data": data, "pps": {"cid": "acme_hosted"}}


def told_apart(event_type, text, mark):
    """The event under another id of the same form, or where it has none with other content: its
    second character is the mark."""
    keys = {"message": ["guid", "qid"], "maillog": ["id", "data"], "audit": ["guid"]}[event_type]
    key = next(key for key in keys if f'"{key}"' in text)
    return re.sub(rf'("{key}"\s*:\s*".).', rf"\g<1>{mark}", text, count=1)


def generated(directory, *arguments, hours=1, rate=2000):
    """The rows that the whole connector delivers in a demonstration, by table."""
    _demonstrate(directory, *arguments, hours=hours, rate=rate)
    files = (pathlib.Path(directory) / "workspace").glob("*.ndjson")
    return {file.stem: [load(line) for line in read(file)] for file in files}


def logged(directory):
    """The lines that the whole connector logs in a demonstration."""
    _demonstrate(directory, hours=1, rate=60)
    return [line for line in read(pathlib.Path(directory) / "handler.log") if line.startswith("{")]


def _demonstrate(directory, *arguments, hours, rate):
    size = ["--hours", str(hours), "--rate", str(rate)]
    command = [
        program("--bin", "proofpoint-sentinel"),
        "demo",
        *size,
        "--keep",
        directory,
        *arguments,
    ]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def of_row(row):
    """The event that a row of the Logs Ingestion API was made of, as far as columns tell."""
    event = {key: value for key, value in row.items() if not key.startswith("msgParts")}
    additional = event.pop("AdditionalFields", {})
    parts = [
        row[name] for name in ["msgParts", "msgParts2", "msgParts3", "msgParts4"] if name in row
    ]
    if parts:
        event["msgParts"] = sum(parts, [])
    return event | {"ts": event.pop("eventTime")} | additional


def of_legacy_row(row):
    """The event that a row of the HTTP Data Collector API was made of."""
    pieces = sorted(
        (name for name in row if name.startswith("msgParts")), key=lambda name: (len(name), name)
    )
    parts = "".join(row[name] for name in pieces)
    return row | {"msgParts": json.loads(parts) if parts else None}
