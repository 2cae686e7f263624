"""Administrators' actions that raise the analytic rules on the console, and others that miss one of their
conditions."""

import watchlists
from rule_events import ago, audit

KEY = ("config", "new_key", "threatProtectionApiKeys")
CREATED = (*KEY, "Create New Threat Protection API Key with name new_key")
ADMIN = ("config", "eve@acme.example", "adminUsers")
RELEASED = ("quarantine", "<a@b.example>", "quarantine", "Message released")
LATE = {"ingested": ago(minutes=61)}

CASES = {
    "AdminAccessWidened": (
        [
            [audit("create", *CREATED)],
            [audit("create", *ADMIN, "Administrator added")],
            [audit("edit", "role", "Helpdesk", "roles", "Role changed")],
            [audit("update", *ADMIN, "Role: Full Administrator")],
            [audit("edit", "authorization", "", "authentication", "MFA: disabled")],
            [audit("edit", "config", "", "sso", '{"twoFactorEnabled": false}')],
            [audit("disable", "config", "two-factor", "login")],
        ],
        [
            [audit("delete", *KEY, "Revoke Threat Protection API Key with name new_key")],
            [audit("read", *CREATED)],
            [audit("execute", "smart_search", "", "search", "API key, administrator, role")],
            [audit("create", "policy_routes", "inbound", "policyRoutes", "Policy Route")],
            [audit("edit", "authorization", "", "authentication", "MFA: enabled")],
            [audit("edit", *ADMIN, "Telephone changed")],
            [audit("login", "authorization", category="authorization")],
            [audit("create", *CREATED, ip=watchlists.ALLOWED_IP)],
            [audit("create", *CREATED, **LATE)],
        ],
        {
            "Change": "API key created",
            "Resource": "new_key",
            "Category": "threatProtectionApiKeys",
            "Details": "Create New Threat Protection API Key with name new_key",
            "UserName": "raises0",
        },
    ),
    "AdminReleasedMessages": (
        [
            [audit("release", *RELEASED), audit("released", *RELEASED)],
            [audit("execute", "smart_search", "", "messages", 'Released: {"count": 3}')],
        ],
        [
            [audit("delete", "quarantine", "<a@b.example>", "quarantine", "Message deleted")],
            [audit("release", "license", "a", "licenses", "Licence released")],
            [audit("read", "smart_search", "", "search", "Search for released messages")],
            [audit("release", *RELEASED, ip=watchlists.ALLOWED_IP)],
            [audit("release", *RELEASED, **LATE)],
        ],
        {"Messages": 2, "Resources": ["<a@b.example>"], "UserName": "raises0"},
    ),
}
