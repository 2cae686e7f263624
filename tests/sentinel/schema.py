"""Prints, for other checkers, the tables of a workspace in which every connector has been at work,
those of Azure that rules read, and the functions over them."""

import json
import sys

import indicators
from kql import PARSER, load
from test_language import full
from traffic import BILLED

tables = {name: columns | {BILLED: "real"} for name, columns in full().items()}
functions = {
    "ProofpointPOD": PARSER,
    "ASimEmailEventProofpointPOD": load("parsers/ASimEmailEventProofpointPOD.yaml")["ParserQuery"],
}
schema = {
    "tables": tables | {"ThreatIntelIndicators": indicators.COLUMNS},
    # The checkers then work out the columns of a function once.
    "fast": True,
    "functions": {name: {"params": "()", "body": body} for name, body in functions.items()},
}
json.dump(schema, sys.stdout)
