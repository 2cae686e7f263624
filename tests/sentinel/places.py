"""Where IP addresses are, for the tests: the engines do not have `geo_info_from_ip_address`."""

import json
import re

# One address of the sample traffic is in no database, and one has no city.
KNOWN = {
    "192.0.2.20": {"country": "Germany", "city": "Bonn", "latitude": 50.7, "longitude": 7.1},
    "192.0.2.21": {"country": "Germany", "city": "Bonn", "latitude": 50.7, "longitude": 7.1},
    "192.0.2.22": {"country": "Chile", "latitude": -33.4, "longitude": -70.6},
}


def resolved(query):
    """The query with the places in it."""
    cases = ", ".join(f"{{0}} == '{ip}', '{json.dumps(place)}'" for ip, place in KNOWN.items())
    return re.sub(
        r"geo_info_from_ip_address\((\w+)\)",
        lambda found: f"todynamic(case({cases.replace('{0}', found[1])}, ''))",
        query,
    )
