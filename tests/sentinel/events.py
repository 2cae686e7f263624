"""Events to test the parser with, and the rows that the connector makes from them."""

import functools
import json
import operator
import pathlib
import re
import subprocess
import sys

from kql import ROOT

TYPES = ["message", "maillog", "audit"]
FIXTURES = ROOT / "tests" / "fixtures" / "pod"


def read(path):
    """The events of a file, one per line, as text."""
    return path.read_text(encoding="utf-8").splitlines()


def load(text):
    """An event or a row as a value. An infinite number, for which JSON has no form, becomes the largest
    float."""
    return json.loads(text, parse_float=lambda number: min(float(number), sys.float_info.max))


@functools.cache
def program(*target):
    """Builds a program of the repository, and returns its path."""
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
    """The fixtures of the connector's own tests, and events for cases that they lack."""
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
    """A message without id and parts, and with the cluster field of old builds only."""
    event = message("", metadata={}, pps={"cid": "old_hosted", "agent": "m1", "version": "8.14"})
    del event["guid"], event["msgParts"]
    return event


def with_verdicts():
    """A message with two rules of one module, a final action that is not the last, and a numeric score."""
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
    """A message with URLs that repeat, URLs that need escapes, and text that only looks like a URL."""
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
    """A message with parts too large for a single column in both forms of rows."""
    noise = "noise " * 3_400
    parts = [
        {"structureId": str(n), "labeledName": f"ü{n}", "metadata": {"t": noise}} for n in range(6)
    ]
    return message("large", msgParts=parts)


def line_without_id(data):
    """A mail log line without id and queue."""
    return {"ts": "2026-11-20T10:00:00.5Z", "data": data, "pps": {"cid": "acme_hosted"}}


def with_other_id(event_type, text, mark):
    """The event with another id of the same form, or with other content if it has no id: the mark
    replaces its second character."""
    keys = {"message": ["guid", "qid"], "maillog": ["id", "data"], "audit": ["guid"]}[event_type]
    key = next(key for key in keys if f'"{key}"' in text)
    return re.sub(rf'("{key}"\s*:\s*".).', rf"\g<1>{mark}", text, count=1)


def generated(directory, *arguments, hours=1, rate=2000, tables="ProofpointPOD*"):
    """The rows that the connector delivers in a demo, by table: by default those of the gateway's events."""
    _run_demo(directory, *arguments, hours=hours, rate=rate)
    files = (pathlib.Path(directory) / "workspace").glob(f"{tables}.ndjson")
    return {file.stem: [load(line) for line in read(file)] for file in files}


def simulated(event_type, first, hours, rate):
    """The rows of simulated mail, the same for the same first hour."""
    command = [program("--example", "mail"), event_type, first, str(hours), str(rate)]
    made = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return rows(event_type, "columns", made.stdout.splitlines())


def logged(directory):
    """The lines that the connector logs in a demo."""
    _run_demo(directory, hours=1, rate=60)
    return [line for line in read(pathlib.Path(directory) / "handler.log") if line.startswith("{")]


def _run_demo(directory, *arguments, hours, rate):
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
    """The event of a Logs Ingestion API row, as far as its columns show it."""
    event = {key: value for key, value in row.items() if not key.startswith("msgParts")}
    additional = event.pop("AdditionalFields", {})
    parts = [
        row[name] for name in ["msgParts", "msgParts2", "msgParts3", "msgParts4"] if name in row
    ]
    if parts:
        event["msgParts"] = functools.reduce(operator.iadd, parts, [])
    return event | {"ts": event.pop("eventTime")} | additional


def of_legacy_row(row):
    """The event of an HTTP Data Collector API row."""
    pieces = sorted(
        (name for name in row if name.startswith("msgParts")), key=lambda name: (len(name), name)
    )
    parts = "".join(row[name] for name in pieces)
    return row | {"msgParts": json.loads(parts) if parts else None}
