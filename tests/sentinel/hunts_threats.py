"""Cases of the hunting queries on compromised accounts, data that leaves, floods, forged replies and files
without a verdict. The form is that of hunts.py."""

from hunts import BODY, inbound, message, outbound, scored

VIRUS = {"av": {"virusNames": ["EICAR"]}}
DLP = [{"module": "dlp", "rule": "cards", "action": "quarantine"}]
SPAM = [{"module": "spam", "rule": "dlp", "action": "continue"}]


def from_inside(domain):
    def internal(name, **members):
        return message("internal", f"{name}@{domain}.test", [f"one@{domain}.test"], **members)

    found = [
        internal("Eve", modules=scored(phish=81)),
        outbound(domain, "eve", modules=VIRUS, disposition="discard"),
        outbound(domain, "bob", modules={"spam": {"triggeredClassifier": "Malware"}}),
        outbound(domain, "cy", modules=scored(impostor=81)),
    ]
    missed = [
        outbound(domain, "at", modules=scored(phish=80, malware=80, impostor=80)),
        outbound(domain, "deferred", modules=scored(phish=99), disposition="retry"),
        inbound(domain, "outside", modules=scored(phish=99)),
        outbound(domain, "", modules=scored(phish=99), header={"subject": [f"{domain}."]}),
    ]
    eve = {"Sender": f"eve@{domain}.test", "Messages": 2, "Stopped": 1, "ToColleagues": 1}
    answer = [
        eve | {"Threats": ["Phish", "Virus"], "SenderName": "eve"},
        {"Sender": f"bob@{domain}.test", "Messages": 1, "Threats": ["Malware"]},
        {"Sender": f"cy@{domain}.test", "Messages": 1, "Threats": ["Impostor"]},
    ]
    return found, missed, answer


def data_loss(domain):
    found = [
        outbound(domain, "Ann", actions=DLP, days=1),
        outbound(domain, "ann", actions=[*SPAM, *DLP], disposition="discard"),
        outbound(domain, "bob", actions=DLP),
    ]
    missed = [
        outbound(domain, "other", actions=SPAM),
        outbound(domain, "deferred", actions=DLP, disposition="retry"),
        inbound(domain, "outside", actions=DLP),
    ]
    ann = {"Sender": f"ann@{domain}.test", "Messages": 2, "Stopped": 1, "Days": 2}
    answer = [ann | {"DlpRules": ["cards"]}, {"Sender": f"bob@{domain}.test", "Messages": 1}]
    return found, missed, answer


def forged_replies(domain):
    def written(name, author, reply_to="pay@Gmail.com", **members):
        header = {"from": [f"A Name <a@{author}>"], "reply-to": [f"Pay <{reply_to}>"]}
        return inbound(domain, name, header=header, **members)

    many = f"form.{domain}.example"
    one = f"one.{domain}.example"
    found = [written("a", many), written("b", many), written("c", one, to=["one", "two"])]
    missed = [
        written("free", "gmail.com"),
        written("own", f"own.{domain}.example", f"a@own.{domain}.example"),
        written("held", f"held.{domain}.example", disposition="discard"),
        inbound(domain, "plain"),
        outbound(domain, "sent", header={"reply-to": ["a@gmail.com"]}),
    ]
    answer = [
        {"AuthorDomain": one, "Messages": 1, "RecipientCount": 2, "ReplyTos": ["pay@gmail.com"]},
        {"AuthorDomain": many, "Messages": 2, "RecipientCount": 1},
    ]
    return found, missed, answer


def unprotected_urls(domain):
    def counted(**counts):
        return {"urldefense": {"counts": {"total": 3} | counts}}

    page = [BODY | {"urls": [{"url": "https://long.example/a"}]}]
    found = [
        inbound(domain, "a", modules=counted(noRewriteIsMaxLengthExceeded=2), parts=page),
        inbound(domain, "b", modules=counted(noRewriteIsSchemeless=1)),
    ]
    missed = [
        inbound(domain, "excluded", modules=counted(noRewriteIsExcludedDomain=3)),
        inbound(domain, "all", modules=counted(rewritten=3)),
        inbound(domain, "held", modules=counted(noRewriteIsSchemeless=9), disposition="discard"),
        outbound(domain, "own", modules=counted(noRewriteIsSchemeless=1)),
    ]
    answer = [
        {
            "Domain": f"{domain}.example",
            "Messages": 2,
            "TooLong": 2,
            "NoScheme": 1,
            "PartTooLarge": 0,
            "UrlExamples": ["https://long.example/a"],
        }
    ]
    return found, missed, answer


def floods(domain):
    found = [inbound(domain, f"n{n}", ["One", "two"]) for n in range(51)]
    missed = [inbound(domain, f"n{n}", ["two"], days=1) for n in range(50)]
    missed += [inbound(domain, "n", ["three"], disposition="reject") for _ in range(51)]
    missed += [outbound(domain, "own", ["four"]) for _ in range(51)]
    flood = {"Messages": 51, "Domains": 1, "FromDomains": [f"{domain}.example"]}
    answer = [flood | {"Recipient": f"{name}@{domain}.test"} for name in ["one", "two"]]
    return found, missed, answer


def harvested(domain):
    eleven = [f"r{n}" for n in range(11)]
    pdr = [{"module": "pdr", "rule": "block", "action": "reject", "isFinal": True}]
    found = [
        inbound(domain, "a", eleven, disposition="reject", ip="192.0.2.71"),
        inbound(domain, "b", ["R1", "found"], ip="192.0.2.71"),
    ]
    missed = [
        inbound(domain, "c", [*eleven[1:], "R1"], disposition="reject", ip="192.0.2.72"),
        inbound(domain, "d", eleven, disposition="reject", ip="192.0.2.73", actions=pdr),
        inbound(domain, "e", eleven, disposition="reject", ip=""),
        inbound(domain, "f", eleven, disposition="discard", ip="192.0.2.74"),
        outbound(domain, "own", eleven, disposition="reject", ip="192.0.2.75"),
    ]
    answer = [{"SenderIp": "192.0.2.71", "RefusedCount": 11, "ReachedCount": 2}]
    answer[0]["ReachedTargets"] = [f"found@{domain}.test", f"r1@{domain}.test"]
    return found, missed, answer


def unfinished(domain):
    def file(name, **members):
        return [BODY, {"labeledName": f"{name}.{domain}.zip", "sha256": "AC" * 32} | members]

    found = [
        inbound(domain, "a", parts=file("late", isTimedOut=True)),
        inbound(domain, "b", parts=file("late", isTimedOut="true")),
        inbound(domain, "c", parts=file("bad", sandboxStatus="Malicious", isTimedOut=True)),
        inbound(domain, "d", parts=file("open", sandboxStatus="inprocess")),
    ]
    missed = [
        inbound(domain, "e", parts=file("clean", sandboxStatus="clean", isTimedOut=False)),
        inbound(domain, "f", parts=file("gone", isTimedOut=True, isDeleted=True)),
        inbound(domain, "g", parts=file("held", isTimedOut=True), disposition="discard"),
        outbound(domain, "own", parts=file("own", isTimedOut=True)),
    ]
    answer = [
        {"Verdict": "Malicious", "FileName": f"bad.{domain}.zip", "Messages": 1},
        {"Verdict": "Not finished", "FileName": f"open.{domain}.zip", "Messages": 1},
        {"Verdict": "Timed out", "FileName": f"late.{domain}.zip", "Messages": 2},
    ]
    return found, missed, [answer[0] | {"Sha256": "ac" * 32}, *answer[1:]]


CASES = {
    "DlpHitsBySender": data_loss,
    "FloodedRecipients": floods,
    "RefusedRecipientsByServer": harvested,
    "RepliesToFreeMail": forged_replies,
    "ThreatsSentFromInside": from_inside,
    "UnfinishedAnalysisDelivered": unfinished,
    "UrlsNotRewritten": unprotected_urls,
}


def made():
    """The cases of these hunting queries, as `hunts.made` has them."""
    return {hunt: case(hunt.lower()) for hunt, case in CASES.items()}
