"""The package that scripts/package made: what is in it, and that it starts and stops as the
Functions host would have it.

Run scripts/package first.
"""

import json
import pathlib
import re
import signal
import stat
import subprocess
import sys
import tempfile
import unittest
import zipfile

from functions_host import NAME, PACKAGE, QUEUE_PACKAGE, Handler, require_package, unpack
from simulation import demo_build
from support import ROOT, make_package

MODES = {
    NAME: 0o755,
    "host.json": 0o644,
    "ProofpointPOD/function.json": 0o644,
    "ProofpointStatus/function.json": 0o644,
}

FEED = "ProofpointFeed/function.json"

# The longest time that the Consumption plan lets a function run.
LONGEST_TIMEOUT = "00:10:00"

# Much more than a handler needs that stops.
STOPS_WITHIN_SECONDS = 5

MISSING_SETTINGS = ["ProofpointClusterID", "ProofpointToken", "DcrImmutableId", "StateStorage"]

# The exit status by which a handler asks the host to be started again.
RESTART = 200


def setUpModule():
    require_package()


class Contents(unittest.TestCase):
    def setUp(self):
        self.archive = zipfile.ZipFile(PACKAGE)
        self.addCleanup(self.archive.close)

    def json(self, name: str) -> dict:
        return json.loads(self.archive.read(name))

    def test_entries_are_what_the_host_needs_and_nothing_else(self):
        self.assertEqual(sorted(self.archive.namelist()), sorted(MODES))
        self.assertIsNone(self.archive.testzip())

    def test_modes_let_linux_run_the_binary_and_read_the_rest(self):
        for entry in self.archive.infolist():
            with self.subTest(entry.filename):
                mode = entry.external_attr >> 16
                self.assertTrue(stat.S_ISREG(mode))
                self.assertEqual(oct(stat.S_IMODE(mode)), oct(MODES[entry.filename]))
                self.assertEqual(entry.create_system, 3, "made on Unix, or the modes mean nothing")

    def test_host_json_starts_the_binary_and_hands_it_plain_invocations(self):
        host = self.json("host.json")
        self.assertEqual(host["version"], "2.0")
        self.assertLessEqual(host["functionTimeout"], LONGEST_TIMEOUT)
        handler = host["customHandler"]
        self.assertIn(handler["description"]["defaultExecutablePath"], self.archive.namelist())
        self.assertEqual(handler["description"]["defaultExecutablePath"], NAME)
        self.assertEqual(handler["description"]["arguments"], ["serve"])
        self.assertIs(handler.get("enableForwardingHttpRequest", False), False)
        self.assertIs(handler.get("enableProxyingHttpRequest", False), False)

    def test_the_function_is_a_timer_with_its_schedule_in_a_setting(self):
        (binding,) = self.json("ProofpointPOD/function.json")["bindings"]
        self.assertEqual(binding["type"], "timerTrigger")
        self.assertEqual(binding["direction"], "in")
        self.assertEqual(binding["name"], "timer")
        self.assertEqual(binding["schedule"], "%ProofpointSchedule%")

    def test_the_status_page_asks_for_a_key_and_takes_two_paths(self):
        request, response = self.json("ProofpointStatus/function.json")["bindings"]
        self.assertEqual((request["type"], request["name"]), ("httpTrigger", "req"))
        self.assertEqual(request["authLevel"], "function")
        self.assertEqual(request["methods"], ["get"])
        self.assertEqual((response["type"], response["name"]), ("http", "res"))
        (pattern,) = re.findall(r"^\{page:regex\((.*)\)\}$", request["route"])
        for path, is_served in [("status", True), ("status.json", True), ("statusXjson", False)]:
            with self.subTest(path):
                self.assertIs(bool(re.search(pattern, path)), is_served)

    def test_the_binary_is_static(self):
        make_package.require_static(self.archive.read(NAME))


class OfQueueMode(unittest.TestCase):
    """The package of queue mode differs in the queue alone."""

    def setUp(self):
        self.inline = self.opened(PACKAGE)
        self.queue = self.opened(QUEUE_PACKAGE)

    def opened(self, package: pathlib.Path) -> zipfile.ZipFile:
        archive = zipfile.ZipFile(package)
        self.addCleanup(archive.close)
        return archive

    def json(self, name: str) -> dict:
        return json.loads(self.queue.read(name))

    def test_it_has_one_function_more(self):
        more = {FEED: 0o644}
        modes = {entry.filename: entry.external_attr >> 16 for entry in self.queue.infolist()}
        expected = {name: stat.S_IFREG | mode for name, mode in (MODES | more).items()}
        self.assertEqual(modes, expected)
        for name in [NAME, "ProofpointStatus/function.json"]:
            self.assertEqual(self.queue.read(name), self.inline.read(name), name)

    def test_only_its_host_json_names_a_bundle(self):
        inline, queue = json.loads(self.inline.read("host.json")), self.json("host.json")
        self.assertNotIn("extensionBundle", inline)
        bundle = queue.pop("extensionBundle")
        self.assertEqual(bundle["id"], "Microsoft.Azure.Functions.ExtensionBundle")
        options = queue.pop("extensions")["queues"]
        self.assertEqual(queue, inline, "all else is the same")
        self.assertEqual(options["messageEncoding"], "base64")
        self.assertGreater(options["visibilityTimeout"], "00:00:00", "it would try again at once")
        self.assertGreater(options["maxDequeueCount"], 1, "a failure would be poison")

    def test_the_timer_sends_what_the_other_function_takes(self):
        timer, feeds = self.json("ProofpointPOD/function.json")["bindings"]
        (inline,) = json.loads(self.inline.read("ProofpointPOD/function.json"))["bindings"]
        self.assertEqual(timer, inline)
        (job,) = self.json(FEED)["bindings"]
        self.assertEqual(
            (feeds["type"], feeds["direction"], feeds["name"]), ("queue", "out", "feeds")
        )
        self.assertEqual(
            (job["type"], job["direction"], job["name"]), ("queueTrigger", "in", "job")
        )
        for key in ["queueName", "connection"]:
            self.assertEqual(feeds[key], job[key])
        template = json.loads((ROOT / "azuredeploy.json").read_text())
        self.assertEqual(job["queueName"], template["variables"]["queueName"])


class WithoutStandIns(unittest.TestCase):
    """The stand-ins of the demo stay out of the program that customers run."""

    # Each is text of a stand-in: settings and certificate of a simulation, its token service, its
    # mail traffic, and the crate that signs its certificates.
    TRACES = (
        b"simulated-authority.pem",
        b"simulated-token-of-",
        b"simulated-identity-header",
        b"proofpoint_sentinel_simulator",
        b"rcgen",
    )

    def test_the_package_has_no_trace_of_the_simulator(self):
        packaged = (ROOT / "dist" / "app" / NAME).read_bytes()
        with_demo = demo_build().read_bytes()
        for trace in self.TRACES:
            with self.subTest(trace):
                self.assertIn(trace, with_demo, "this would be no trace of it")
                self.assertNotIn(trace, packaged)

    def test_the_packaged_program_has_no_command_of_the_demo(self):
        program = ROOT / "dist" / "app" / NAME
        told = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
        self.assertIn("serve", told.stdout)
        for command in ["demo", "simulate"]:
            with self.subTest(command):
                self.assertNotIn(command, told.stdout)
                self.assertEqual(
                    subprocess.run([program, command], stderr=subprocess.DEVNULL).returncode, 2
                )


class Packing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dist = pathlib.Path(folder.name)

    def pack(self, binary: pathlib.Path) -> subprocess.CompletedProcess:
        script = ROOT / "scripts" / "make_package.py"
        command = [sys.executable, str(script), str(binary), "--dist", str(self.dist)]
        return subprocess.run(command, capture_output=True, text=True)

    def test_the_same_binary_makes_the_same_bytes(self):
        packed = self.pack(ROOT / "dist" / "app" / NAME)
        self.assertEqual(packed.returncode, 0, packed.stderr)
        for package in [PACKAGE, QUEUE_PACKAGE]:
            self.assertEqual((self.dist / package.name).read_bytes(), package.read_bytes())

    def test_a_binary_that_would_not_run_on_azure_is_refused(self):
        static = (ROOT / "dist" / "app" / NAME).read_bytes()
        arm = static[:18] + (183).to_bytes(2, "little") + static[20:]
        for content, because in [
            (pathlib.Path(sys.executable).read_bytes(), "asks for a dynamic loader"),
            (b"#!/bin/sh\n", "not a 64-bit Linux binary"),
            (static[:100], "headers are cut off"),
            (arm, "not made for x86_64"),
        ]:
            with self.subTest(because):
                binary = self.dist / "binary"
                binary.write_bytes(content)
                packed = self.pack(binary)
                self.assertNotEqual(packed.returncode, 0)
                self.assertIn(because, packed.stderr)
                self.assertEqual(list(self.dist.glob("*.zip")), [])


class UnderAHost(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        app = pathlib.Path(folder.name, "app")
        unpack(app)
        self.handler = Handler(app, {}, pathlib.Path(folder.name, "handler.log"))
        self.addCleanup(self.handler.end)

    def test_a_tick_without_settings_fails_and_names_them(self):
        status, reply = self.handler.invoke()
        self.assertEqual(status, 500, reply)
        self.assertEqual(reply["Outputs"], {})
        self.assertIn("ReturnValue", reply)
        logs = "\n".join(reply["Logs"])
        for setting in MISSING_SETTINGS:
            self.assertIn(setting, logs)
        said = self.handler.said()
        self.assertIn("ProofpointClusterID", said, "the host drops the logs of a failure")

    def test_it_stops_when_told_while_the_host_is_connected(self):
        self.handler.process.send_signal(signal.SIGTERM)
        try:
            status = self.handler.process.wait(STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            said = self.handler.said()
            self.fail(f"still running {STOPS_WITHIN_SECONDS} s after SIGTERM:\n{said}")
        self.assertEqual(status, RESTART, self.handler.said())


if __name__ == "__main__":
    unittest.main()
