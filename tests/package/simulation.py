"""`proofpoint-sentinel simulate` of the demo build: Proofpoint's Log API and a workspace. The package
has no such command."""

import json
import pathlib
import signal
import subprocess

from functions_host import NAME
from support import ROOT

ENDS_WITHIN_SECONDS = 10


def demo_build() -> pathlib.Path:
    """The program as `cargo build` leaves it, with the feature `demo`."""
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    program = pathlib.Path(json.loads(metadata)["target_directory"], "debug", NAME)
    if not program.is_file():
        raise FileNotFoundError(f"{program} is missing: run cargo build first")
    return program


class Simulation:
    """Runs from here until `end`. Its folder gets the authority's certificate and the rows."""

    def __init__(self, folder: pathlib.Path, messages_an_hour: int) -> None:
        self.folder = folder
        arguments = ["--rate", str(messages_an_hour), "--directory", str(folder)]
        self.process = subprocess.Popen(
            [demo_build(), "simulate", *arguments],
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # An empty line says that all of it listens.
        lines = iter(lambda: self.process.stdout.readline().strip(), "")
        self.settings = dict(line.split("=", 1) for line in lines)
        if not self.settings:
            raise AssertionError(f"the simulation does not start: {self.end()}")

    def rows(self, table: str) -> list[dict]:
        path = self.folder / f"{table}.ndjson"
        return [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []

    def end(self) -> str:
        """What it has counted."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.communicate(timeout=ENDS_WITHIN_SECONDS)[1]
        finally:
            self.process.kill()
