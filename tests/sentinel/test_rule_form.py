"""Each analytic rule is within Microsoft's limits for rules, alerts and incidents."""

import functools
import re
import unittest
import uuid

from rules import ALL_RULES as RULES
from rules import CONNECTOR_RULES, TAP_RULES, named

# The tactic of each technique.
TACTICS = {
    "T1048": "Exfiltration",
    "T1078": "InitialAccess",
    "T1098": "Persistence",
    "T1136": "Persistence",
    "T1496": "Impact",
    "T1204": "Execution",
    "T1499": "Impact",
    "T1534": "LateralMovement",
    "T1557": "CredentialAccess",
    "T1562": "DefenseEvasion",
    "T1566": "InitialAccess",
    "T1583": "ResourceDevelopment",
    "T1589": "Reconnaissance",
}

# The identifiers that the rules use for each kind of entity. Sentinel requires the first one, and both
# for a hash.
IDENTIFIERS = {
    "Account": ["Name", "UPNSuffix"],
    "CloudApplication": ["Name", "InstanceName"],
    "DNS": ["DomainName"],
    "File": ["Name"],
    "FileHash": ["Algorithm", "Value"],
    "IP": ["Address"],
    "Mailbox": ["MailboxPrimaryAddress"],
    # Those of one message, or those of the first of several.
    "MailMessage": ["NetworkMessageId", "Recipient", "InternetMessageId"],
    "Malware": ["Name", "Category"],
    "URL": ["Url"],
}

# An alert on several messages names the first by what Exchange Online knows too.
OF_SEVERAL = ["Recipient", "Sender", "InternetMessageId"]

CONNECTORS = {
    "ProofpointSentinel": {
        "ProofpointPODMessage_CL",
        "ProofpointPODMailLog_CL",
        "ProofpointPODAudit_CL",
        "ProofPointTAPMessagesDeliveredV2_CL",
        "ProofPointTAPMessagesBlockedV2_CL",
        "ProofPointTAPClicksPermittedV2_CL",
        "ProofPointTAPClicksBlockedV2_CL",
        "ProofpointConnector_CL",
    },
    "ThreatIntelligence": {"ThreatIntelIndicators"},
    "ThreatIntelligenceTaxii": {"ThreatIntelIndicators"},
    "ThreatIntelligenceUploadIndicatorsAPI": {"ThreatIntelIndicators"},
    "MicrosoftDefenderThreatIntelligence": {"ThreatIntelIndicators"},
}

# Rules whose alerts are too frequent for incidents.
ALERTS_ONLY = {"BinaryInAttachment", "WeakCiphers"}


def minutes(duration):
    return int(duration[:-1]) * {"m": 1, "h": 60, "d": 24 * 60}[duration[-1]]


def columns(entity):
    return {field["columnName"] for field in entity["fieldMappings"]}


def each_of(rules):
    """A decorator that runs the test for each of the rules and its name."""

    def of_each(test):
        @functools.wraps(test)
        def run(case):
            for name, rule in rules.items():
                with case.subTest(rule=name):
                    test(case, name, rule)

        return run

    return of_each


of_each_rule = each_of(RULES)


class Form(unittest.TestCase):
    def test_ids_and_names_are_unique(self):
        for key in ["id", "name"]:
            self.assertEqual(len({rule[key] for rule in RULES.values()}), len(RULES))

    @of_each_rule
    def test_rules_have_the_form_that_sentinel_requires(self, name, rule):
        uuid.UUID(rule["id"])
        subject = "TAP" if name in TAP_RULES else "on Demand"
        subject = "connector" if name in CONNECTOR_RULES else subject
        self.assertTrue(rule["name"].startswith(f"Proofpoint {subject} - "))
        self.assertLessEqual(len(rule["name"]), 256)
        self.assertLessEqual(len(rule["description"]), 5000)
        self.assertIn(rule["severity"], ["High", "Medium", "Low", "Informational"])
        self.assertEqual(
            [rule["kind"], rule["triggerOperator"], rule["triggerThreshold"]],
            ["Scheduled", "gt", 0],
        )
        self.assertRegex(rule["version"], r"^\d+\.\d+\.\d+$")
        self.assertLess(len(rule["query"]), 10_000)

    @of_each_rule
    def test_descriptions_are_short_and_name_the_false_positive(self, name, rule):
        self.assertIn(len(re.findall(r"\.(?:\s|$)", rule["description"])), range(3, 7))
        self.assertRegex(rule["description"], r"usual\s+false\s+positive")

    @of_each_rule
    def test_techniques_belong_to_the_tactics(self, name, rule):
        self.assertCountEqual(
            rule["tactics"], {TACTICS[technique] for technique in rule["relevantTechniques"]}
        )

    @of_each_rule
    def test_required_connectors_provide_the_tables(self, name, rule):
        needed = {
            need["connectorId"]: set(need["dataTypes"]) for need in rule["requiredDataConnectors"]
        }
        for connector, tables in needed.items():
            self.assertLessEqual(tables, CONNECTORS[connector])
        self.assertEqual("ThreatIntelligence" in needed, name.endswith("InTIList"))
        audit = "ProofpointPODAudit_CL" in needed["ProofpointSentinel"]
        self.assertEqual(audit, '"audit"' in rule["query"])

    @of_each_rule
    def test_frequency_and_period_are_within_limits(self, name, rule):
        frequency, period = minutes(rule["queryFrequency"]), minutes(rule["queryPeriod"])
        self.assertLessEqual(minutes("5m"), frequency)
        self.assertLessEqual(frequency, period)
        self.assertLessEqual(period, minutes("14d"))
        if period >= minutes("2d"):
            self.assertGreaterEqual(frequency, minutes("1h"))

    @of_each_rule
    def test_entities_have_the_form_that_sentinel_requires(self, name, rule):
        # A workspace allows ten; the Azure-Sentinel repository allows five.
        self.assertLessEqual(len(rule["entityMappings"]), 5)
        for entity in rule["entityMappings"]:
            identifiers = [field["identifier"] for field in entity["fieldMappings"]]
            of_several = entity["entityType"] == "MailMessage" and "Guid" not in columns(entity)
            expected = OF_SEVERAL if of_several else IDENTIFIERS[entity["entityType"]]
            self.assertEqual(identifiers, expected)
            self.assertLessEqual(len(identifiers), 3)

    @of_each_rule
    def test_details_have_the_form_that_sentinel_requires(self, name, rule):
        self.assertLessEqual(len(rule["customDetails"]), 20)
        for key in rule["customDetails"]:
            self.assertRegex(key, r"^[A-Za-z][A-Za-z0-9]{0,19}$")
        for column in named(rule):
            self.assertRegex(column, r"^[A-Za-z_]\w*$")

    @of_each_rule
    def test_lists_in_alerts_are_limited(self, name, rule):
        # An alert holds at most fifty values of a list. A set of strings keeps empty ones, and its
        # first element can be any, so every set leaves them out.
        # What a run looks back for is not shown.
        shown = re.sub(r"\| summarize make_set\(\w+\)\);", "", rule["query"])
        sizes = re.findall(r"make_set_if\((\w+), isnotempty\(\1\), (\d+)\)", shown)
        self.assertEqual(len(sizes), len(re.findall(r"make_(?:set|list)", shown)))
        self.assertTrue(all(int(size) <= 50 for _, size in sizes))

    @of_each_rule
    def test_alert_names_contain_columns(self, name, rule):
        display = rule["alertDetailsOverride"]["alertDisplayNameFormat"]
        self.assertLessEqual(len(display), 256)
        self.assertIn(len(re.findall(r"\{\{\w+\}\}", display)), [1, 2, 3])

    @of_each_rule
    def test_incidents_group_the_alerts_of_an_entity(self, name, rule):
        self.assertEqual(rule["eventGroupingSettings"], {"aggregationKind": "AlertPerResult"})
        incident = rule["incidentConfiguration"]
        self.assertEqual(incident["createIncident"], name not in ALERTS_ONLY)
        if name in ALERTS_ONLY:
            return
        grouping = incident["groupingConfiguration"]
        self.assertTrue(grouping["enabled"])
        self.assertEqual(grouping["matchingMethod"], "Selected")
        self.assertRegex(grouping["lookbackDuration"], r"^P(T[1-9]\d?H|[1-7]D)$")
        mapped = [entity["entityType"] for entity in rule["entityMappings"]]
        for kind in grouping["groupByEntities"]:
            self.assertEqual(
                mapped.count(kind), 1, "another entity of the same kind would split incidents"
            )


if __name__ == "__main__":
    unittest.main()
