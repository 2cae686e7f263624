"""The package in a root file system that has nothing else: it comes up, and brings rows.

Peers are named by address: a name would need the system's list of hosts or its name servers.
"""

import pathlib
import re
import tempfile
import unittest

from bare_root import BareRoot, way_in
from functions_host import FIRST_TICK, LATER_TICK, Handler, require_package
from simulation import Simulation

CERTIFICATE = "/certificates/company.pem"
STATE = "/state"

# Where the base images have the roots that the system trusts.
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

MESSAGES_AN_HOUR = 60
TABLES = {
    "message": ("ProofpointPODMessage_CL", "guid"),
    "maillog": ("ProofpointPODMailLog_CL", "id"),
    "audit": ("ProofpointPODAudit_CL", "guid"),
}

TAP_ACCOUNT = "default-tap"

# Short enough for a test, and far below what the host waits.
COLLECTION = {
    "ProofpointEventTypes": ",".join(TABLES),
    "ProofpointInitialLookbackHours": "3",
    "ProofpointLiveQuietSeconds": "1",
    "StateStorage": f"file://{STATE}",
}

# No probe of a deployment or a scale controller waits longer.
ANSWERS_WITHIN_SECONDS = 5


def setUpModule():
    require_package()


@unittest.skipUnless(way_in(), "neither user namespaces nor root's rights to enter another root")
class InABareRoot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = self.folder / "handler.log"
        self.simulation = Simulation(self.folder / "simulation", MESSAGES_AN_HOUR)
        self.addCleanup(self.simulation.end)
        self.authority = pathlib.Path(self.simulation.settings.pop("SSL_CERT_FILE"))
        self.root = BareRoot(self.folder / "root")
        self.state = self.root.add_writable(STATE)

    def settings(self, **more: str) -> dict[str, str]:
        own = {
            name: value.replace("//localhost:", "//127.0.0.1:")
            for name, value in self.simulation.settings.items()
        }
        return own | COLLECTION | more

    def start(self, settings: dict[str, str]) -> Handler:
        handler = self.root.start(settings, self.log)
        self.addCleanup(handler.end)
        within = pathlib.Path(f"/proc/{handler.process.pid}/root").readlink()
        self.assertEqual(within, self.root.folder.resolve())
        status, body = handler.probe
        self.assertEqual((status, body[:1]), (200, b"{"))
        self.assertLess(handler.ready_after, ANSWERS_WITHIN_SECONDS)
        return handler

    def collect(self, handler: Handler, tick: dict) -> dict[str, dict[str, int]]:
        """What the reply says of each event type."""
        status, reply = handler.invoke(tick)
        self.assertEqual(status, 200, handler.said())
        told = {}
        for line in reply["Logs"]:
            feed, counts = line.split(": ", 1)
            # `120 rows delivered (0 repaired)` counts twice.
            counted = re.findall(r"(\d+) ([a-z ]+[a-z])", counts.replace("hour done", "hours done"))
            told[feed.removeprefix("acme_hosted-")] = {name: int(n) for n, name in counted}
        self.assertEqual(sorted(told), sorted([*TABLES, TAP_ACCOUNT]), reply)
        self.assertEqual(told.pop(TAP_ACCOUNT)["dead letters"], 0, reply)
        return told

    def ids(self, event_type: str) -> list[str]:
        table, key = TABLES[event_type]
        return [row[key] for row in self.simulation.rows(table)]

    def test_rows_arrive_and_the_next_process_goes_on_where_the_first_was(self):
        self.root.add(CERTIFICATE, self.authority)
        settings = self.settings(SSL_CERT_FILE=CERTIFICATE)
        before = self.root.files()
        handler = self.start(settings)
        print(f"ready after {1000 * handler.ready_after:.0f} ms")
        first = self.collect(handler, FIRST_TICK)
        for event_type, counts in first.items():
            with self.subTest(event_type):
                self.assertEqual(counts["rows delivered"], len(self.ids(event_type)))
                self.assertGreaterEqual(counts["hours done"], 2)
                self.assertEqual(counts["dead letters"], 0)
        for event_type in ["message", "maillog"]:
            wanted = MESSAGES_AN_HOUR * first[event_type]["hours done"]
            self.assertGreaterEqual(len(self.ids(event_type)), wanted, event_type)

        handler.end()
        second = self.collect(self.start(settings), LATER_TICK)
        for event_type in TABLES:
            ids = self.ids(event_type)
            self.assertEqual(len(set(ids)), len(ids), f"{event_type}: a row came twice")
            self.assertLess(second[event_type]["hours done"], first[event_type]["hours done"])

        after = self.root.files()
        written = [path for path in after if after[path] != before.get(path)]
        self.assertNotEqual(written, [])
        self.assertEqual([path for path in written if not path.startswith(f"{STATE}/")], [])
        self.assertEqual([path for path in before if path not in after], [])
        self.assertIn(" 0 values that Azure would have cut", self.simulation.end())

    def test_the_systems_own_certificates_are_trusted(self):
        self.root.add(SYSTEM_BUNDLE, self.authority)
        self.collect(self.start(self.settings(ProofpointMode="archive")), FIRST_TICK)
        self.assertNotEqual(self.ids("message"), [])

    def test_without_any_certificate_it_comes_up_and_trusts_no_stranger(self):
        handler = self.start(self.settings())
        status, reply = handler.invoke(FIRST_TICK)
        self.assertEqual(status, 500, reply)
        logs = "\n".join(reply["Logs"])
        for event_type in TABLES:
            self.assertRegex(logs, f"acme_hosted-{event_type}: failed: .*no TLS connection with")
        self.assertIn("UnknownIssuer", logs)
        self.assertIn("SSL_CERT_FILE", logs)
        self.assertEqual(self.ids("message"), [])

    def test_a_certificate_that_is_missing_is_told_by_its_setting(self):
        handler = self.start(self.settings(SSL_CERT_FILE=CERTIFICATE))
        status, reply = handler.invoke(FIRST_TICK)
        self.assertEqual(status, 500, reply)
        self.assertIn(f"SSL_CERT_FILE: no certificate could be read from {CERTIFICATE}", str(reply))


if __name__ == "__main__":
    unittest.main()
