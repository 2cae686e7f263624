"""The function that compares what was delivered with what the tables hold counts as the connector does."""

import datetime
import json
import unittest

import connector_rows
import panels
import rule_events
import tap
import tap_records
from connector_rows import HOUR, SECOND, feed, hour
from functions import FunctionWorkspace, of_connector
from kql import INTERPRETER, check_all
from test_parser import DECLARED, NAMES, TABLES, collected

NOW = datetime.datetime(2026, 11, 26, 12)
# The hour that is compared.
AT = datetime.datetime(2026, 11, 26, 6)
SHAPES = ["columns", "legacy"]


def event(kind, name, at, cluster="acme_hosted", **members):
    """An event of the hour."""
    made = {
        "ts": connector_rows.stamp(at),
        "metadata": {"origin": {"data": {"cid": cluster}}} if cluster else {},
    }
    if name:
        made["id" if kind == "maillog" else "guid"] = name
    return kind, made | members


def message(name, at, disposition="continue", **members):
    return event("message", name, at, **({"filter": {"disposition": disposition}} | members))


def tables(shape, told, events=(), records=()):
    """The workspace with what the connector says, the events, and the TAP records."""
    made = connector_rows.stored(shape, told)
    for kind in rule_events.events.TYPES:
        texts = [json.dumps(each) for of, each in events if of == kind]
        if not texts:
            continue
        rows = rule_events.events.rows(kind, shape, texts)
        name, columns = NAMES[kind], TABLES[NAMES[kind]]
        if shape == "legacy":
            name = f"ProofpointPOD_{kind}_CL"
            columns, rows = collected(rows)
        made[name] = (columns, rows)
    return made | tap_records.stored(shape, records)


class Reconciliation(unittest.TestCase):
    maxDiff = None

    def check(self, query, meant, told, events=(), records=()):
        """Asserts what a query over the function shows, for each API and in each interpreter."""
        for shape in SHAPES:
            workspace = FunctionWorkspace(
                of_connector(), tables(shape, told, events, records), now=NOW
            )
            answers = {shape: workspace.query(query)}
            if INTERPRETER:
                answers[f"{shape}, another interpreter"] = workspace.opinions([query])[0]
            for where, rows in answers.items():
                with self.subTest(where=where):
                    found = (
                        [{name: row[name] for name in meant[0]} for row in rows] if meant else rows
                    )
                    self.assertCountEqual(map(panels.plain, found), map(panels.plain, meant))

    def found(self, delivered, found, told, events=(), records=(), **members):
        """Asserts what the function finds of one hour."""
        missing = max(0, delivered - found)
        row = {"Delivered": delivered, "Found": found, "Missing": missing} | members
        self.check("ProofpointReconciliation", [row], told, events, records)

    def test_a_whole_hour_lacks_nothing(self):
        events = [message(f"m{n}", AT + n * SECOND) for n in range(3)]
        told = [hour(feed(), AT, AT + 2 * HOUR, 3)]
        self.found(3, 3, told, events, Command="")

    def test_what_lacks_is_counted_with_the_command_for_it(self):
        at = datetime.datetime(2026, 11, 25, 23)
        events = [event("maillog", f"l{n}", at + n * SECOND, data=f"line {n}") for n in range(3)]
        told = [hour(feed("maillog"), at, at + 2 * HOUR, 5)]
        command = (
            "proofpoint-sentinel collect --again --type maillog --cluster acme_hosted"
            " --from 2026-11-25T23 --to 2026-11-26T00"
        )
        self.found(5, 3, told, events, Command=command, Feed="acme_hosted-maillog")

    def test_events_are_told_apart_as_the_ledger_does(self):
        second = SECOND / 1000
        events = [
            message("m1", AT),
            # The same event from the archive, which keeps fewer digits.
            message("m1", AT + 400 * second),
            # A retry and the acceptance after it, within one second, and the same a second later.
            message("m1", AT, "retry"),
            message("m1", AT + SECOND),
            # In the hours before and after.
            message("m2", AT - second),
            message("m3", AT + HOUR),
            # Without an id, an event counts once for each row.
            message("", AT),
            message("", AT),
        ]
        self.found(9, 5, [hour(feed(), AT, AT + 2 * HOUR, 9)], events)

    def test_a_disposition_is_part_of_messages_only(self):
        events = [
            event("maillog", "l1", AT, data="a line", filter={"disposition": each})
            for each in ["retry", "continue"]
        ]
        self.found(2, 1, [hour(feed("maillog"), AT, AT + 2 * HOUR, 2)], events)

    def test_feeds_are_compared_by_themselves(self):
        events = [
            message("m1", AT),
            message("m2", AT, metadata={"origin": {"data": {"cid": "OTHER_hosted"}}}),
            message("m3", AT, metadata={}, pps={"cid": "other_hosted"}),
            event("audit", "a1", AT, audit={"action": "login"}),
        ]
        told = [
            hour(feed(account=account), AT, AT + 2 * HOUR, 2)
            for account in ["acme_hosted", "other_hosted"]
        ] + [hour(feed("audit"), AT, AT + 2 * HOUR, 2)]
        meant = [
            {"Feed": "acme_hosted-message", "Found": 1, "Missing": 1},
            {"Feed": "other_hosted-message", "Found": 2, "Missing": 0},
            {"Feed": "acme_hosted-audit", "Found": 1, "Missing": 1},
        ]
        self.check("ProofpointReconciliation", meant, told, events)

    def test_events_that_name_no_cluster_can_be_of_any(self):
        events = [message("m1", AT), event("message", "m2", AT, cluster=None)]
        self.found(2, 2, [hour(feed(), AT, AT + 2 * HOUR, 2)], events)

    def test_the_newest_state_of_an_hour_counts(self):
        told = [
            hour(feed(), AT, AT + 2 * HOUR, 9),
            hour(feed(), AT, AT + 3 * HOUR, 1, "believed"),
        ]
        self.found(1, 1, told, [message("m1", AT)], Completeness="believed")

    def test_an_hour_of_the_last_two_hours_is_not_compared(self):
        settled = hour(feed(), AT, NOW - 3 * HOUR, 9)
        for told in [
            [hour(feed(), AT, NOW - HOUR, 9)],
            # The state from before is not compared either.
            [settled, hour(feed(), AT, NOW - HOUR, 10)],
            # It was said long ago, and arrived just now.
            [hour(feed(), AT, NOW - 4 * HOUR, 9, arrived=NOW - HOUR)],
            # Nothing can lack.
            [hour(feed(), AT, NOW - 3 * HOUR, 0, "lost")],
        ]:
            self.check("ProofpointReconciliation", [], told)
        self.found(9, 0, [settled])

    def test_parameters_choose_hours_and_feeds(self):
        hours = [AT + n * HOUR for n in range(-4, 0)]
        told = [hour(feed(), each, each + 2 * HOUR, 5 + n) for n, each in enumerate(hours)]
        told += [hour(feed("audit"), hours[0], hours[0] + 2 * HOUR, 1)]

        def told_in(which, arguments):
            meant = [{"Hour": each, "Found": 0} for each in which]
            self.check(f"ProofpointReconciliation({arguments})", meant, told)

        from_second = f"starttime=datetime({hours[1].isoformat()})"
        told_in(hours[1:], from_second)
        told_in(hours[1:3], f"{from_second}, endtime=datetime({hours[2].isoformat()})")
        told_in(hours[1:2], f"{from_second}, arrivedby=ago(6h)")
        told_in(hours[2:], f"{from_second}, arrivedafter=ago(6h)")
        told_in(hours[:1], 'feeds=dynamic(["acme_hosted-audit"])')
        told_in(hours[::2], 'every=2, feeds=dynamic(["acme_hosted-message"])')

    def test_tap_records_are_told_apart_as_the_ledger_does(self):
        at = connector_rows.stamp(AT + 10 * SECOND)
        late = connector_rows.stamp(AT + 2 * HOUR)
        phish = tap_records.threat(at=at, threatID="t1")
        other = tap_records.threat(at=at, threatID="t2")
        cleared = phish | {"threatStatus": "cleared"}
        records = [
            tap_records.message(threats=[phish, other], at=at, id="r1"),
            # The same with its lists in another order.
            tap_records.message(threats=[other, phish], at=at, id="r1"),
            # Another verdict, and another record.
            tap_records.message(threats=[cleared, other], at=at, id="r1"),
            tap_records.message(threats=[phish], at=at, id="r2"),
            tap_records.blocked([phish], at=at, id="r2"),
            # Condemned in a later hour.
            tap_records.message(threats=[phish | {"threatTime": late}], at=at, id="r3"),
            tap_records.click(at=at, id="c1", threatTime=at),
            tap_records.click(at=at, id="c1", threatTime=at, threatStatus="cleared"),
            tap_records.click("clicksBlocked", at=at, id="c1", threatTime=at),
            tap_records.click(at=at, id="c2", threatTime=late),
        ]
        told = [
            hour(feed("tap", account), AT, AT + 3 * HOUR, delivered)
            for account, delivered in [("default", 6), ("emea", 3)]
        ]
        said = "collect does not read TAP: see docs/tap.md, Outages and lost hours"
        self.found(9, 7, told, (), records, Command=said, Account="default, emea", Feed="tap")

    def test_accounts_of_tap_are_chosen_together(self):
        told = [hour(feed("tap", name), AT, AT + 2 * HOUR, 2) for name in ["default", "emea"]]
        told.append(hour(feed(), AT, AT + 2 * HOUR, 1))
        query = 'ProofpointReconciliation(feeds=dynamic(["tap"]))'
        self.check(query, [{"Feed": "tap", "Delivered": 4, "Missing": 4}], told)

    def test_a_workspace_without_the_tables_lacks_everything(self):
        told = [
            hour(feed(), AT, AT + 2 * HOUR, 4),
            hour(feed("tap", "default"), AT, AT + 2 * HOUR, 4),
        ]
        self.check("ProofpointReconciliation", [{"Found": 0, "Missing": 4}] * 2, told)
        self.check("ProofpointReconciliation", [], [])


class Language(unittest.TestCase):
    def test_the_function_is_valid_in_every_workspace(self):
        full = DECLARED | tap.tables() | {connector_rows.TABLE: connector_rows.COLUMNS}
        empty = {name: {"TimeGenerated": "datetime"} for name in full}
        answers = []
        for made in [full, empty]:
            functions = of_connector().checked(made)
            query = of_connector().standalone("ProofpointReconciliation")
            connector = {"ProofpointConnector": functions["ProofpointConnector"]}
            asked = {"tables": made, "functions": connector, "queries": [query]}
            [[checked]] = check_all([asked])
            self.assertEqual(checked["diagnostics"], [])
            self.assertFalse(checked["open"])
            answers.append(checked["columns"])
        self.assertEqual(answers[0], answers[1])


if __name__ == "__main__":
    unittest.main()
