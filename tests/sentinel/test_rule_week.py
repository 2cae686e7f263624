"""What the analytic rules read and raise in a week stays within bounds, and is what the documentation says.
Both tables are printed."""

import sys
import unittest

import rule_cost
import rule_noise
from rules import ALL_RULES


def enabled(numbers):
    return {
        name: number for name, number in numbers.items() if ALL_RULES[name].get("enabled", True)
    }


class Week(unittest.TestCase):
    maxDiff = None

    def test_rules_read_few_rows(self):
        costs = rule_cost.measured()
        table = rule_cost.table(costs)
        sys.stderr.write(f"\nRows a day, in multiples of a day's rows:\n{table}")
        for name, cost in costs.items():
            with self.subTest(rule=name):
                self.assertGreater(cost, 0)
                self.assertLessEqual(cost, rule_cost.LIMIT)
        self.assertLess(rule_cost.of_enabled(costs), rule_cost.LIMIT_OF_ALL)
        self.check_page("cost", table)

    def test_rules_raise_few_alerts(self):
        found = rule_noise.measured()
        table = rule_noise.table(found)
        sys.stderr.write(f"\nAlerts a day for 1,000 users:\n{table}")
        for name, count in enabled(found).items():
            with self.subTest(rule=name):
                self.assertLessEqual(count, rule_noise.LIMIT)
        # What is disabled is so for a reason.
        self.assertGreater(max(found.values()), rule_noise.LIMIT)
        self.check_page("noise", table)

    def check_page(self, name, table):
        """The week is the same each time, so that the page has its very numbers."""
        page = rule_cost.PAGE.read_text(encoding="utf-8")
        self.assertEqual(rule_cost.sections(page, name, table), page)


if __name__ == "__main__":
    unittest.main()
