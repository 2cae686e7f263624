"""For each analytic rule what raises it, what nearly does, and what the first of its alerts says.

A case is a list of events of one sender, whose address is `raises0@<rule>.example` or the like. The
cases that nearly raise a rule miss one of its conditions each."""

from raised_by_operation import ADMINISTRATORS, SILENCE
from raised_by_traffic import INBOUND, OUTBOUND, THREATS

CASES = INBOUND | THREATS | OUTBOUND | ADMINISTRATORS | SILENCE


def sender(rule, outcome, number):
    return f"{outcome}{number}@{rule.lower()}.example"


def addressed():
    """The events of all cases, each with the address of its case."""
    for rule, (raises, misses, _) in CASES.items():
        for outcome, cases in [("raises", raises), ("misses", misses)]:
            for number, case in enumerate(cases):
                for occurrence in case:
                    yield occurrence, sender(rule, outcome, number)
