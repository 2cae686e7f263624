"""The watchlists that the template creates are those that rules read, and rules work without them."""

import unittest

import rule_cases
import threat_indicators
import watchlists
from kql import CONTENT, PARSER, Workspace, check_all, load
from rule_events import RUN, stored
from rules import QUERIES, RULES
from test_parser import DECLARED
from test_rules import of_case

FILES = {path.stem: load(path) for path in sorted((CONTENT / "watchlists").glob("*.yaml"))}
READING = {name: query for name, query in QUERIES.items() if watchlists.named(query)}

# Without names on its watchlist this rule has nothing to look for.
NEEDS_VALUES = "VipNameFromOutside"


def of_first_cases(names):
    """The events of the case that raises each rule first."""
    return [
        (occurrence, rule_cases.sender(name, "raises", 0))
        for name in names
        for occurrence in rule_cases.CASES[name][0][0]
    ]


class Files(unittest.TestCase):
    def test_each_watchlist_is_read_and_each_that_is_read_exists(self):
        read = set().union(*map(watchlists.named, QUERIES.values()))
        self.assertEqual(read, set(FILES))
        self.assertEqual(read, set(watchlists.VALUES))

    def test_files_are_named_after_their_alias(self):
        for name, made in FILES.items():
            self.assertEqual(made["alias"], name)
            self.assertRegex(made["searchKey"], r"^[A-Z][a-z]+$")
            self.assertTrue(made["name"].startswith("Proofpoint - "))

    def test_rules_read_only_the_search_key(self):
        # The other columns of a watchlist exist only once it has items.
        for name, query in READING.items():
            with self.subTest(rule=name):
                self.assertEqual(
                    query.count("_GetWatchlist("),
                    query.count(") | project SearchKey = tostring(SearchKey))"),
                )

    def test_rules_that_are_disabled_give_the_reason(self):
        for name, rule in RULES.items():
            with self.subTest(rule=name):
                said = "is deployed disabled, because" in " ".join(rule["description"].split())
                self.assertEqual(said, not rule.get("enabled", True))


class WithoutWatchlists(unittest.TestCase):
    def test_the_language_service_accepts_every_rule(self):
        asked = {"tables": DECLARED, "functions": {"ProofpointPOD": PARSER}}
        [checked] = check_all([asked | {"queries": list(READING.values())}])
        for name, each in zip(READING, checked, strict=True):
            with self.subTest(rule=name):
                # A fuzzy union leaves out what does not exist.
                self.assertEqual(
                    [found for found in each["diagnostics"] if "Warning KS205" not in found], []
                )

    def test_rules_find_the_same(self):
        addressed = of_first_cases(READING)
        listed = {"ThreatIntelIndicators": threat_indicators.table(addressed)}
        workspace = Workspace(stored("columns", addressed) | listed, RUN)
        for name, query in READING.items():
            with self.subTest(rule=name):
                found = set().union(*[of_case(name, row) for row in workspace.query(query)])
                first = rule_cases.sender(name, "raises", 0)
                self.assertEqual(found, set() if name == NEEDS_VALUES else {first})


if __name__ == "__main__":
    unittest.main()
