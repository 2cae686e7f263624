"""The watchlists that rules read, as tables of a workspace: the engines do not have `_GetWatchlist`."""

import re

# Values of the watchlists that cases of rules refer to.
ALLOWED_DOMAIN = "allowed.example"
ALLOWED_HASH = "ef" * 32
ALLOWED_IP = "203.0.113.77"
ALLOWED_MAILBOX = "allowed@acme.example"
OWN_DOMAIN = "contoso.example"
PARTNER = "partner.test"

VALUES = {
    "ProofpointAllowList": [
        ALLOWED_DOMAIN,
        f" {ALLOWED_HASH.upper()}",
        ALLOWED_IP,
        "Allowed@acme.example",
        "contoso-agency.example",
    ],
    "ProofpointOwnDomains": ["Contoso.example "],
    "ProofpointPartners": ["PartnerTlsDowngrade.example.partner.test"],
    "ProofpointVips": ["Erika Example", "Someone Else"],
}

# What `_GetWatchlist` returns of any watchlist; the other columns depend on its items.
COLUMNS = {"SearchKey": "string"}


def tables():
    """All watchlists. Sentinel says of each item when it changed."""
    changed = {"TimeGenerated": "2026-01-01T00:00:00Z"}
    return {
        alias: (
            COLUMNS | {"TimeGenerated": "datetime"},
            [{"SearchKey": value} | changed for value in values],
        )
        for alias, values in VALUES.items()
    }


def named(query):
    """The aliases that a query names."""
    return set(re.findall(r'_GetWatchlist\("(\w+)"\)', query))


def resolved(query):
    """The query with tables in place of watchlists. The table of a watchlist has its alias as name; a
    watchlist that does not exist is a table that does not exist."""
    return re.sub(r'_GetWatchlist\("(\w+)"\)', r"\1", query)
