"""What hosting/ has for those without a Functions host: a service of systemd, and a container."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from bare_root import READ_ONLY, way_in
from functions_host import require_package
from simulation import Simulation
from support import ROOT

HOSTING = ROOT / "hosting"
UNIT = HOSTING / "proofpoint-sentinel.service"
PROGRAM = ROOT / "dist" / "app" / "proofpoint-sentinel"

# In tenths, as systemd-analyze counts: from 0, nothing exposed, to 100.
MOST_EXPOSED = 20

MESSAGES_AN_HOUR = 60


def setUpModule():
    require_package()


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
class Service(unittest.TestCase):
    def analyze(self, *words: str) -> None:
        done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_systemd_understands_the_unit(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder, UNIT.name)
            # Where the program is here.
            unit.write_text(
                UNIT.read_text().replace("/usr/local/bin/proofpoint-sentinel", str(PROGRAM))
            )
            done = subprocess.run(
                ["systemd-analyze", "verify", unit], capture_output=True, text=True
            )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_little_is_exposed(self):
        self.analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(UNIT))


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile."""
    lines = (HOSTING / "Containerfile").read_text().splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and not line.startswith("#")]


@unittest.skipUnless(way_in(), "neither user namespaces nor root's rights to enter another root")
class Container(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root = self.folder / "root"
        self.root.mkdir()
        self.simulation = Simulation(self.folder / "simulation", MESSAGES_AN_HOUR)
        self.addCleanup(self.simulation.end)

    def build(self) -> list[str]:
        """The image's file system by its instructions, without whom it runs as. Returns its command."""
        command = None
        for name, rest in instructions():
            match name:
                case "FROM":
                    self.assertEqual(rest, "scratch")
                case "COPY":
                    source, target = rest.split(" ")
                    shutil.copy(ROOT / source, self.root / target.lstrip("/"))
                case "ENTRYPOINT":
                    command = json.loads(rest)
                case _:
                    self.assertIn(name, ["USER", "EXPOSE"])
        return command

    def settings(self) -> dict[str, str]:
        authority = pathlib.Path(self.simulation.settings.pop("SSL_CERT_FILE"))
        shutil.copy(authority, self.root / "authority.pem")
        (self.root / "state").mkdir()
        named = self.simulation.settings.items()
        return {name: value.replace("//localhost:", "//127.0.0.1:") for name, value in named} | {
            "ProofpointInitialLookbackHours": "2",
            "ProofpointMode": "archive",
            "SSL_CERT_FILE": "/authority.pem",
            "StateStorage": "file:///state",
        }

    def test_the_image_runs_as_nobody_and_brings_rows(self):
        self.assertRegex(dict(instructions())["USER"], r"^[1-9]\d*:[1-9]\d*$")
        command = self.build()
        self.assertEqual(command[1:3], ["run", "--listen"])
        self.assertEqual(command[3], f"0.0.0.0:{dict(instructions())['EXPOSE']}")
        settings = self.settings()
        self.root.chmod(READ_ONLY)
        # Another process of this machine may have the image's port.
        command[3] = "127.0.0.1:0"
        process = subprocess.Popen(
            [*way_in(), f"--root={self.root}", *command],
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        said, address = [], None
        for line in process.stdout:
            said.append(json.loads(line))
            address = said[-1].get("address", address)
            if re.search(r"-message: .*[1-9]\d* rows delivered", said[-1]["message"]):
                break
        self.assertNotEqual(self.simulation.rows("ProofpointPODMessage_CL"), [], said)
        for path in ["health", "ready"]:
            with urllib.request.urlopen(f"http://{address}/{path}", timeout=30) as answer:
                self.assertEqual(answer.read(), b"ok\n")
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertEqual(
            {path.name for path in self.root.iterdir()},
            {"proofpoint-sentinel", "authority.pem", "state"},
        )


if __name__ == "__main__":
    unittest.main()
