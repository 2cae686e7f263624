"""The package of queue mode: its timer plans, and each message brings the rows of one feed."""

import pathlib
import tempfile
import unittest

from functions_host import (
    FIRST_TICK,
    LATER_TICK,
    QUEUE_PACKAGE,
    Handler,
    require_package,
    unpack,
)
from simulation import Simulation

TABLES = {
    "acme_hosted-message": ("ProofpointPODMessage_CL", "guid"),
    "acme_hosted-maillog": ("ProofpointPODMailLog_CL", "id"),
}
FEEDS = [*TABLES, "default-tap"]


def setUpModule():
    require_package()


class QueueMode(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.simulation = Simulation(self.folder / "simulation", 60)
        self.addCleanup(self.simulation.end)
        self.app = self.folder / "app"
        unpack(self.app, QUEUE_PACKAGE)

    def start(self, **more: str) -> Handler:
        """An instance. All of them have the same state."""
        settings = self.simulation.settings | {
            "ProofpointInitialLookbackHours": "2",
            "ProofpointMode": "archive",
            "ProofpointScale": "queue",
            "StateStorage": f"file://{self.folder}/state",
        }
        handler = Handler(self.app, settings | more, self.folder / "handler.log")
        self.addCleanup(handler.end)
        return handler

    def plan(self, handler: Handler, tick: dict) -> dict[str, dict]:
        """The messages that a tick sends, by feed."""
        status, reply = handler.invoke(tick)
        self.assertEqual(status, 200, reply)
        self.assertEqual(sorted(self.ids()), sorted(self.before), "planning brings no row")
        messages = {message["feed"]: message for message in reply["Outputs"]["feeds"]}
        self.assertEqual(sorted(messages), sorted(FEEDS))
        return messages

    def ids(self) -> list[str]:
        return [row[key] for name, key in TABLES.values() for row in self.simulation.rows(name)]

    def test_messages_bring_each_row_once_on_any_instance(self):
        self.before = []
        planner, worker = self.start(), self.start()
        messages = self.plan(planner, FIRST_TICK)
        for feed, message in messages.items():
            status, reply = worker.work(message)
            self.assertEqual(status, 200, reply)
            self.assertTrue(reply["Logs"][0].startswith(f"{feed}: "), reply)
        self.before = self.ids()
        self.assertGreater(len(self.before), 60)
        for name, key in TABLES.values():
            rows = [row[key] for row in self.simulation.rows(name)]
            self.assertEqual(len(set(rows)), len(rows), f"{name}: a row came twice")
            self.assertNotEqual(rows, [])

        # A message that comes again, to another instance.
        for message in messages.values():
            status, reply = planner.work(message, dequeue_count=2)
            self.assertEqual(status, 200, reply)
            self.assertIn("a run has done this since it was planned", reply["Logs"][0])
        self.plan(worker, LATER_TICK)

    def test_a_feed_that_fails_fails_alone(self):
        self.before = []
        handler = self.start(TapSecret="refused")
        messages = self.plan(handler, FIRST_TICK)
        status, reply = handler.work(messages.pop("default-tap"))
        self.assertEqual(status, 500, reply)
        for message in messages.values():
            status, reply = handler.work(message)
            self.assertEqual(status, 200, reply)
        self.assertNotEqual(self.ids(), [])


if __name__ == "__main__":
    unittest.main()
