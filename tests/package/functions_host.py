"""The Functions host's part: it unpacks the package, starts the handler that host.json names, waits
until that answers, and invokes its functions.
"""

import http.client
import json
import pathlib
import socket
import stat
import subprocess
import time
import uuid
import zipfile
from collections.abc import Callable, Sequence

from support import ROOT, make_package

NAME = make_package.NAME
FUNCTION = "ProofpointPOD"
FEED_FUNCTION = "ProofpointFeed"
PACKAGE = ROOT / "dist" / f"{NAME}-{make_package.version()}.zip"
QUEUE_PACKAGE = PACKAGE.with_name(PACKAGE.name.replace(NAME, f"{NAME}-queue"))

# What the host waits for a handler that starts, how often it asks, and much more than a run of a
# test takes.
STARTS_WITHIN_SECONDS = 30
ASKS_EVERY_SECONDS = 0.025
RUNS_WITHIN_SECONDS = 120

# The first tick of an app, and the one of 06:05 that follows the tick of 06:00.
FIRST_TICK = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
LATER_TICK = {
    "Schedule": {"AdjustForDST": True},
    "ScheduleStatus": {
        "Last": "2026-11-20T06:00:00.0039670+00:00",
        "Next": "2026-11-20T06:05:00+00:00",
        "LastUpdated": "2026-11-20T06:00:00.0039670+00:00",
    },
    "IsPastDue": False,
}


def require_package() -> None:
    if not PACKAGE.is_file():
        raise FileNotFoundError(f"{PACKAGE} is missing: run scripts/package first")


def unpack(folder: pathlib.Path, package: pathlib.Path = PACKAGE) -> None:
    """As the platform does, with the modes in the package."""
    with zipfile.ZipFile(package) as archive:
        for entry in archive.infolist():
            mode = stat.S_IMODE(entry.external_attr >> 16)
            pathlib.Path(archive.extract(entry, folder)).chmod(mode)


class Handler:
    """The handler's process and the host's connection with it.

    Where the handler is to run in another root, `enter` is the command that leads there, and `seen`
    tells by which path a file of the app is found from within.
    """

    def __init__(
        self,
        app: pathlib.Path,
        settings: dict[str, str],
        log: pathlib.Path,
        enter: Sequence[str] = (),
        seen: Callable[[pathlib.Path], str] = str,
    ) -> None:
        description = json.loads((app / "host.json").read_text())["customHandler"]["description"]
        program = seen(app / description["defaultExecutablePath"])
        self.reserved = reserve_port()
        self.port = self.reserved.getsockname()[1]
        self.log = log
        started = time.monotonic()
        with log.open("a") as output:
            self.process = subprocess.Popen(
                [*enter, program, *description["arguments"]],
                cwd=app / description["workingDirectory"],
                env=settings | host_variables(self.port, seen(app)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=RUNS_WITHIN_SECONDS
        )
        try:
            self.probe = self._wait_until_ready(started)
        except BaseException:
            self.end()
            raise
        self.ready_after = time.monotonic() - started

    def _wait_until_ready(self, started: float) -> tuple[int, bytes]:
        while time.monotonic() - started < STARTS_WITHIN_SECONDS:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.said()}")
            try:
                self.connection.request("GET", "/")
            except ConnectionRefusedError:
                self.connection.close()
                time.sleep(ASKS_EVERY_SECONDS)
            else:
                response = self.connection.getresponse()
                return response.status, response.read()
        raise AssertionError(f"no answer within {STARTS_WITHIN_SECONDS} s:\n{self.said()}")

    def invoke(self, timer: dict = FIRST_TICK, function: str = FUNCTION) -> tuple[int, dict]:
        return self._send(function, {"timer": timer}, {})

    def work(self, message: dict, dequeue_count: int = 1) -> tuple[int, dict]:
        """A message that was an object comes indented, as a text of JSON in a text of JSON, and its
        members are beside what the queue says of it, encoded twice."""
        job = json.dumps(json.dumps(message, indent=2))
        members = {name: json.dumps(value) for name, value in message.items()}
        metadata = {"DequeueCount": str(dequeue_count), "Id": json.dumps(str(uuid.uuid4()))}
        return self._send(FEED_FUNCTION, {"job": job}, metadata | members)

    def _send(self, function: str, data: dict, metadata: dict) -> tuple[int, dict]:
        """The host sends its envelope in chunks, without a length."""
        system = {
            "MethodName": function,
            "UtcNow": "2026-11-20T06:05:00.0184210Z",
            "RandGuid": str(uuid.uuid4()),
        }
        envelope = {"Data": data, "Metadata": metadata | {"sys": system}}
        body = json.dumps(envelope).encode()
        chunks = [body[:40], body[40:]]
        headers = {
            "X-Azure-Functions-HostVersion": "4.1045.200.25556",
            "X-Azure-Functions-InvocationId": str(uuid.uuid4()),
            "User-Agent": "Azure-Functions-Host/4.1045.200.25556",
            "Transfer-Encoding": "chunked",
            "traceparent": "00-bb2bd5eef54cb15a1506d0326d2489e7-d3f54c84c7034d76-00",
            "Content-Type": "application/json; charset=utf-8",
        }
        self.connection.request("POST", f"/{function}", chunks, headers, encode_chunked=True)
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def said(self) -> str:
        return self.log.read_text()

    def end(self) -> None:
        """As the host does it: without a warning."""
        self.connection.close()
        self.process.kill()
        self.process.wait()
        self.reserved.close()


def host_variables(port: int, app: str) -> dict[str, str]:
    """What the host adds to the app's settings."""
    worker = str(uuid.uuid4())
    return {
        "FUNCTIONS_CUSTOMHANDLER_PORT": str(port),
        "FUNCTIONS_HTTPWORKER_PORT": str(port),
        "FUNCTIONS_CUSTOMHANDLER_WORKER_ID": worker,
        "FUNCTIONS_HTTPWORKER_ID": worker,
        "FUNCTIONS_APP_ROOT_PATH": app,
    }


def reserve_port() -> socket.socket:
    """A bound socket: its port is given to nobody who asks for any, and can be bound by its number."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved
