"""What the analytic rules read and raise in a week stays within bounds. Both tables are printed."""

import re
import sys
import unittest

import rule_cost
import rule_noise
from rules import ALL_RULES


def shown(name):
    """The numbers of a table in the documentation, by rule."""
    page = rule_cost.PAGE.read_text(encoding="utf-8")
    table = page.split(f"<!-- {name}: ")[1].split(f"<!-- end of {name} -->")[0]
    return {
        file: float(number)
        for file, number in re.findall(r"/(\w+)\.yaml\)[^|]*\| ([\d.]+) \|", table)
    }


def enabled(numbers):
    return {
        name: number for name, number in numbers.items() if ALL_RULES[name].get("enabled", True)
    }


class Week(unittest.TestCase):
    def test_rules_read_few_rows(self):
        costs = rule_cost.measured()
        sys.stderr.write(f"\nRows a day, in multiples of a day's rows:\n{rule_cost.table(costs)}")
        for name, cost in costs.items():
            with self.subTest(rule=name):
                self.assertGreater(cost, 0)
                self.assertLessEqual(cost, rule_cost.LIMIT)
        self.assertLess(rule_cost.of_enabled(costs), rule_cost.LIMIT_OF_ALL)
        self.check_page("cost", costs)

    def test_rules_raise_few_alerts(self):
        found = rule_noise.measured()
        sys.stderr.write(f"\nAlerts a day for 1,000 users:\n{rule_noise.table(found)}")
        for name, count in enabled(found).items():
            with self.subTest(rule=name):
                self.assertLessEqual(count, rule_noise.LIMIT)
        # What is disabled is so for a reason.
        self.assertGreater(max(found.values()), rule_noise.LIMIT)
        self.check_page("noise", found)

    def check_page(self, name, numbers):
        """The table in the documentation has every rule, and about the same numbers of the rules that are
        enabled: the mail of the week depends on the time of day, and a rule that looks back for what it
        found reads nothing more in a week in which it found nothing."""
        page = shown(name)
        self.assertEqual(set(page), set(numbers))
        for rule, number in enabled(numbers).items():
            with self.subTest(rule=rule, table=name):
                self.assertAlmostEqual(page[rule], number, delta=1 + 0.1 * number)


if __name__ == "__main__":
    unittest.main()
