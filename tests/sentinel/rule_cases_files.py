"""Files that raise the analytic rules, and files that miss one of their conditions."""

import watchlists
from rule_cases_mail import BODY, CHECKED_AN_HOUR_AGO, EXE, ZIP
from rule_cases_threats import ALLOWED
from rule_events import inbound, outbound

IMAGE = {"detectedExt": "ISO", "labeledExt": "iso", "labeledName": "a.iso", "sha256": "E3" * 32}
PAGE = {"detectedExt": "HTML", "labeledName": "invoice.html", "disposition": "attached"}
MACROS = {"detectedExt": "DOCM", "labeledExt": "docm", "labeledName": "a.docm"}
MACROS |= {"sha256": "E4" * 32}
LATE = {"detectedExt": "PDF", "labeledName": "a.pdf", "isTimedOut": True, "sha256": "E5" * 32}
BAD = {"labeledName": "b.exe", "sandboxStatus": "Malicious", "sha256": "E6" * 32}


def not_delivered(part):
    """Messages with the part that a rule on delivered files leaves out."""
    others = [[inbound([part], disposition=each)] for each in ["reject", "discard", "retry"]]
    return [
        *others,
        [outbound(parts=[part])],
        [inbound([part], **CHECKED_AN_HOUR_AGO)],
        [inbound([part], **ALLOWED)],
        [inbound([part], sender="{name}@allowed.example")],
        [inbound([part | {"isDeleted": True}])],
        [inbound([part | {"isDeleted": "true"}])],
        [inbound([part | {"sha256": watchlists.ALLOWED_HASH.upper()}])],
    ]


CASES = {
    "CarrierAttachment": (
        [
            [inbound([BODY, IMAGE, {"detectedExt": "ONE", "labeledName": "b.one"}])],
            [inbound([ZIP, {"detectedExt": "VHDX", "isVirtual": True}])],
            [inbound([{"detectedExt": "TXT", "labeledExt": "RDP"}])],
            [inbound([IMAGE], to=["one@acme.example", "two@acme.example"])],
        ],
        [
            [inbound([BODY, ZIP])],
            # SuspiciousAttachment raises these.
            [inbound([EXE, {"detectedExt": "LNK", "labeledExt": "lnk"}])],
            [inbound([MACROS, PAGE])],
            # SandboxVerdictDelivered raises this one.
            [inbound([IMAGE | {"sandboxStatus": "Malicious"}])],
            *not_delivered(IMAGE),
        ],
        {"Kind": "iso", "FileName": "a.iso", "Sha256": "e3" * 32, "Files": ["a.iso", "b.one"]},
    ),
    "ActiveDocumentAttachment": (
        [
            [inbound([BODY, MACROS])],
            [inbound([PAGE])],
            [inbound([{"labeledExt": "svg", "labeledName": "a.svg"}])],
            [inbound([{"detectedExt": "ICS", "labeledName": "a.ics"}])],
            [inbound([ZIP | {"isProtected": True}])],
            [inbound([{"detectedExt": "PDF", "isProtected": "true"}])],
        ],
        [
            [inbound([BODY, ZIP])],
            [inbound([PAGE | {"disposition": "inline"}])],
            [inbound([PAGE | {"labeledName": ""}])],
            [inbound([IMAGE, EXE])],
            [inbound([MACROS | {"sandboxStatus": "threat"}])],
            *not_delivered(MACROS),
        ],
        {"Kind": "Document with macros", "FileName": "a.docm", "Sha256": "e4" * 32},
    ),
    "AttachmentNotAnalyzed": (
        [
            [inbound([BODY, LATE])],
            [inbound([{"labeledName": "a.exe", "sandboxStatus": "timedOut"}])],
            [inbound([{"labeledName": "a.exe", "sandboxStatus": "inprocess"}])],
            [inbound([{"labeledName": "a.exe", "sandboxStatus": "Error"}])],
        ],
        [
            [inbound([BODY, EXE | {"isTimedOut": False}])],
            [inbound([EXE | {"isTimedOut": "false", "sandboxStatus": "clean"}])],
            [inbound([EXE | {"sandboxStatus": "unsupported"}])],
            # SandboxVerdictDelivered raises this one.
            [inbound([BAD])],
            *not_delivered(LATE),
        ],
        {"Verdict": "Timed out", "FileName": "a.pdf", "Sha256": "e5" * 32},
    ),
    "SandboxVerdictDelivered": (
        [
            [inbound([BODY, LATE, BAD])],
            [inbound([{"labeledName": "b.exe", "sandboxStatus": "threat"}])],
        ],
        [
            [inbound([LATE])],
            [inbound([EXE | {"sandboxStatus": "clean"}])],
            [inbound([EXE])],
            *not_delivered(BAD),
        ],
        {"SandboxStatus": "malicious", "FileName": "b.exe", "Sha256": "e6" * 32},
    ),
}
