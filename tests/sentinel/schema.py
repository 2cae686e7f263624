"""Prints, for external checkers, the tables of a workspace that every connector has used, the Azure
tables that rules read, and the functions over them."""

import json
import sys

import connector_rows
import tap
import threat_indicators
import watchlists
from functions import of_connector
from kql import BODY, PARAMETERS, load
from test_language import full
from traffic import BILLED

tables = {name: columns | {BILLED: "real"} for name, columns in full().items()}
parsers = {
    "ASimEmailEventProofpointPOD": load("parsers/ASimEmailEventProofpointPOD.yaml")["ParserQuery"],
    "vimEmailEventProofpointPOD": load("parsers/vimEmailEventProofpointPOD.yaml")["ParserQuery"],
}
listed = ", ".join(f"{name}:{of}" for name, of in watchlists.COLUMNS.items())
functions = {
    "ProofpointPOD": {"params": f"({PARAMETERS})", "body": BODY},
    # Of the workspace: the items of a watchlist.
    "_GetWatchlist": {"params": "(alias:string)", "body": f"datatable({listed})[]"},
}
tables |= tap.tables() | {connector_rows.TABLE: connector_rows.COLUMNS}
schema = {
    "tables": tables | {"ThreatIntelIndicators": threat_indicators.COLUMNS},
    # Makes the checkers compute the columns of a function only once.
    "fast": True,
    "functions": functions
    | {
        name: {"params": f"({made.parameters(name)})", "body": made.text(name)}
        for made in [tap.FUNCTIONS, of_connector()]
        for name in made
    }
    | {name: {"params": "()", "body": body} for name, body in parsers.items()},
}
json.dump(schema, sys.stdout)
