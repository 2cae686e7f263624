"""Events to try the parser on, and the rows that the connector makes of them."""

import base64
import json
import os
import pathlib
import subprocess

from kql import ROOT

TYPES = ["message", "maillog", "audit"]
FIXTURES = ROOT / "tests" / "fixtures" / "pod"

# They lie beside the checkout where they may not be part of it.
SAMPLES = ROOT.parent / "shared" / "samples" / "pod"


def read(path):
    """The events of a file, one a line, as text."""
    return path.read_text(encoding="utf-8").splitlines()


def rows(event_type, shape, events):
    """The connector's rows for events as text."""
    command = ["cargo", "run", "--locked", "--quiet", "--example", "rows", event_type, shape]
    text = "".join(f"{event}\n" for event in events)
    made = subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in made.stdout.splitlines()]


def hand_made(event_type):
    """The fixtures of the connector's own tests, and what they lack."""
    events = read(FIXTURES / f"{event_type}.ndjson")
    if event_type == "message":
        events += map(json.dumps, [bare(), with_verdicts(), with_urls(), with_large_parts()])
    if event_type == "maillog":
        events += map(json.dumps, [line_without_id()])
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
        {"labeledName": "", "urls": [url, url, {"src": ["urldefense"], "url": "https://example.org/é"}]},
        {"labeledName": "x.zip", "urls": [], "metadata": {"title": '"url":"https://no.example"'}},
        {"labeledName": "third"},
    ]
    return message("urls", msgParts=parts)


def with_large_parts():
    """Parts that no single column holds, in either shape."""
    noise = base64.b64encode(os.urandom(20_000)).decode()
    parts = [{"structureId": str(n), "labeledName": f"ü{n}", "metadata": {"t": noise}} for n in range(6)]
    return message("large", msgParts=parts)


def line_without_id():
    """A line of the mail log that has neither an id nor a queue."""
    return {"ts": "2026-11-20T10:00:00.5Z", "data": "a line of another kind", "pps": {"cid": "acme_hosted"}}
