"""Prints, for external checkers, the tables of a workspace that every connector has used, the Azure
tables that rules read, and the functions over them."""

import json
import sys

import threat_indicators
from kql import PARSER, load
from test_language import full
from traffic import BILLED

tables = {name: columns | {BILLED: "real"} for name, columns in full().items()}
functions = {
    "ProofpointPOD": PARSER,
    "ASimEmailEventProofpointPOD": load("parsers/ASimEmailEventProofpointPOD.yaml")["ParserQuery"],
    "vimEmailEventProofpointPOD": load("parsers/vimEmailEventProofpointPOD.yaml")["ParserQuery"],
}
schema = {
    "tables": tables | {"ThreatIntelIndicators": threat_indicators.COLUMNS},
    # Makes the checkers compute the columns of a function only once.
    "fast": True,
    "functions": {name: {"params": "()", "body": body} for name, body in functions.items()},
}
json.dump(schema, sys.stdout)
