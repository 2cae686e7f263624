"""Administrators' actions and feeds without new events that raise the analytic rules, and others that
miss one of their conditions."""

from rule_events import ago, audit, inbound, maillog

EARLIER = {"sent": ago(days=3), "ingested": ago(days=3)}
POLICY = ("spam_module", "strict", "spamDetection.policies")


def login(ip="192.0.2.1", **members):
    return audit("login", "authorization", category="authorization", ip=ip, **members)


ADMINISTRATORS = {
    "AdminPolicyWeakened": (
        [
            [audit("delete", "policy_routes", "inbound", "policyRoutes", "Policy Route: inbound")],
            [audit("edit", *POLICY, "Policy name: strict and Status: Disabled")],
            [audit("edit", *POLICY, '{"before": {"enabled": true}, "after": {"enabled": false}}')],
            [
                audit(
                    "create", "config", "partner.example", "organizationalSafeList", "Sender added"
                )
            ],
            [audit("disable", "spam_module", "strict")],
            [audit("delete", "quarantine", "Phish", "quarantineFolders")],
            [audit("delete", "config", "strict", "filter")],
            [audit("delete", "filter_policy", "strict")],
            [
                audit(
                    "create", "policy_routes", "quick", "policyRoutes", "Bypass for partner.example"
                )
            ],
        ],
        [
            [audit("create", "policy_routes", "inbound", "policyRoutes", "Policy Route: inbound")],
            [audit("edit", *POLICY, '{"after": {"enabled": true}}')],
            [
                audit(
                    "delete",
                    "config",
                    "key",
                    "threatProtectionApiKeys",
                    "Revoke Threat Protection API Key",
                )
            ],
            [
                audit(
                    "execute",
                    "smart_search",
                    "",
                    "search",
                    'Search Query: {"safelist": "disabled"}',
                )
            ],
            [
                audit(
                    "delete", "config", "partner.example", "organizationalSafeList", "Entry removed"
                )
            ],
            [login()],
            # A held message, and the filter of a list in the console.
            [audit("delete", "quarantine", "<a@b.example>", "quarantine", "Message deleted")],
            [audit("delete", "smart_search", "mine", "filter")],
            [audit("delete", "policy_routes", "inbound", "policyRoutes", ingested=ago(minutes=11))],
        ],
        {
            "Change": "Deleted",
            "Resource": "inbound",
            "Category": "policyRoutes",
            "UserName": "raises0",
        },
    ),
    "AdminLoginFromNewAddress": (
        [[login("192.0.2.1", **EARLIER), login("198.51.100.1"), login("192.0.2.1")]],
        [
            [login("192.0.2.1", **EARLIER), login("192.0.2.1")],
            # Without an earlier login there is nothing to compare with.
            [login("198.51.100.1")],
            [login("192.0.2.1", sent=ago(days=15), ingested=ago(days=15)), login("198.51.100.1")],
            [login("192.0.2.1", **EARLIER), login("198.51.100.1", ingested=ago(minutes=61))],
            [login("192.0.2.1", **EARLIER), audit("logout", "authorization", ip="198.51.100.1")],
            [login("192.0.2.1", **EARLIER), login("")],
        ],
        {"SrcIpAddr": "198.51.100.1", "Logins": 1, "UserName": "raises0"},
    ),
}


def hourly(make, hours):
    """One event for each number of hours ago, of the case's own cluster."""
    return [
        make(cluster="{sender}", sent=ago(hours=hour), ingested=ago(hours=hour)) for hour in hours
    ]


def late(make):
    """A feed whose last events took hours to arrive."""
    return [
        *hourly(make, range(4, 30)),
        make(cluster="{sender}", sent=ago(hours=3), ingested=ago(hours=1)),
    ]


SILENCE = {
    "ConnectorSilent": (
        [
            hourly(inbound, range(3, 30)),
            hourly(maillog, range(3, 30)),
            # One feed continues while another has stopped.
            hourly(inbound, range(30)) + hourly(maillog, range(3, 30)),
            hourly(inbound, [hour for hour in range(3, 33) if hour % 6]),
        ],
        [
            hourly(inbound, range(1, 30)),
            hourly(inbound, range(3, 20)),
            hourly(inbound, [hour for hour in range(3, 60) if hour % 3]),
            hourly(login, range(3, 30)),
            late(inbound),
        ],
        {"EventType": "message", "BusyHours": 23, "Hours": 23, "Events": 23},
    ),
}
