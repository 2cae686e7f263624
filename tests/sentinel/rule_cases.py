"""For each analytic rule: cases that raise it, cases that do not, and what its first alert says.

A case is a list of events of one sender, whose address is for example `raises0@<rule>.example`. Each
case that does not raise a rule misses one of its conditions."""

import rule_cases_console
import rule_cases_files
import rule_cases_impersonation
import rule_cases_threats
from rule_cases_mail import INBOUND, OUTBOUND, THREATS
from rule_cases_operations import ADMINISTRATORS, SILENCE
from rule_events import ago


def not_yet(case):
    """A case whose new events arrive after a run, so that the next run checks them."""
    return [
        occurrence | {"ingested": ago(hours=-1)} if occurrence["ingested"] == ago() else occurrence
        for occurrence in case
    ]


def collected_for_an_operator(case):
    """A case whose new events were collected by a command."""
    return [
        occurrence | {"collected_by": "backfill"} if occurrence["ingested"] == ago() else occurrence
        for occurrence in case
    ]


def long_past(case):
    """A case whose new events happened more than a week ago."""
    return [
        occurrence | {"event": occurrence["event"] | {"ts": ago(days=9)}}
        if occurrence["ingested"] == ago()
        else occurrence
        for occurrence in case
    ]


def too_old(rule, raises):
    """This rule has a run a day, and reads a day of arrivals without a limit of age."""
    return [] if rule == "PartnerTlsDowngrade" else [long_past(raises[0])]


ARRIVALS = INBOUND | THREATS | OUTBOUND | ADMINISTRATORS
for added in [
    rule_cases_threats,
    rule_cases_files,
    rule_cases_impersonation,
    rule_cases_console,
]:
    ARRIVALS |= added.CASES

CASES = SILENCE | {
    rule: (
        raises,
        [*misses, not_yet(raises[0]), collected_for_an_operator(raises[0]), *too_old(rule, raises)],
        said,
    )
    for rule, (raises, misses, said) in ARRIVALS.items()
}


def sender(rule, outcome, number):
    return f"{outcome}{number}@{rule.lower()}.example"


def addressed():
    """The events of all cases, each with the address of its case."""
    for rule, (raises, misses, _) in CASES.items():
        for outcome, cases in [("raises", raises), ("misses", misses)]:
            for number, case in enumerate(cases):
                for occurrence in case:
                    yield occurrence, sender(rule, outcome, number)


# Values for the lists at the top of a rule's query with which the first case no longer raises the rule.
EXCEPTIONS = {
    ("AdminLoginFromNewAddress", "knownAddresses"): "198.51.100.1",
    ("AdminPolicyWeakened", "exceptedUsers"): "raises0@adminpolicyweakened.example",
    ("BinaryInAttachment", "exceptedDomains"): "binaryinattachment.example",
    ("ConnectorSilent", "exceptedClusters"): "raises0@connectorsilent.example",
    ("DataExfiltrationToPrivateEmail", "ownDomains"): "private.example",
    ("DmarcFailureAccepted", "exceptedDomains"): "bank.example",
    ("DmarcFailureAccepted", "exceptedServers"): "192.0.2.20",
    ("EmailUrlInTIList", "exceptedHosts"): "bad.example",
    (
        "FirstSeenSenderToManyRecipients",
        "exceptedDomains",
    ): "firstseensendertomanyrecipients.example",
    ("HighRiskNotDiscarded", "exceptedRecipients"): "one@acme.example",
    ("ImpostorDelivered", "exceptedAuthors"): "raises0@impostordelivered.example",
    ("MultipleArchivedAttachmentsToSameRecipient", "exceptedDomains"): "other.example",
    ("MultipleLargeEmailsToSameRecipient", "exceptedDomains"): "other.example",
    ("MultipleProtectedEmailsToUnknownRecipient", "exceptedDomains"): "other.example",
    ("OutboundVolumeSpike", "exceptedSenders"): "raises0@outboundvolumespike.example",
    ("PhishDelivered", "exceptedRecipients"): "one@acme.example",
    ("PhishDelivered", "exceptedSenders"): "raises0@phishdelivered.example",
    ("SuspiciousAttachment", "exceptedHashes"): "cd" * 32,
    ("VirusDelivered", "exceptedViruses"): "eicar",
    ("WeakCiphers", "exceptedPeers"): "192.0.2.66",
}
