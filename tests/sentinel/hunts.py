"""For each hunting query: messages that it finds, messages that it nearly finds, and the expected rows
for the first, computed by hand. Each case has its own domains; `<hunt>.example` is the outside one."""

import datetime
import uuid

import events

NOW = datetime.datetime.now(datetime.UTC)

BODY = {
    "detectedMime": "text/plain",
    "detectedExt": "TXT",
    "labeledExt": "",
    "labeledName": "",
    "isCorrupted": False,
}
BROKEN = {"detectedExt": "PDF", "detectedName": "a.pdf", "labeledName": "", "isCorrupted": True}
DISGUISED = {
    "detectedExt": "EXE",
    "labeledExt": "PDF",
    "labeledName": "invoice.pdf",
    "sha256": "AB" * 32,
}
DISGUISED |= {"detectedName": "setup.exe"}
SCRIPT = {
    "detectedExt": "TXT",
    "labeledExt": "JS",
    "labeledName": "run.js",
    "sha256": "cd" * 32,
    "isVirtual": True,
}
PHOTO = {
    "detectedExt": "JPG",
    "labeledExt": "JPEG",
    "labeledName": "photo.jpeg",
    "sha256": "ef" * 32,
}
PAGE = {
    "detectedExt": "HTML",
    "labeledName": "",
    "urls": [{"url": "https://example.org/a?b=c", "src": ["filter"]}],
}


def inbound(domain, name, to=("one",), **members):
    rcpts = [f"{recipient}@{domain}.test" for recipient in to]
    return message("inbound", name and f"{name}@{domain}.example", rcpts, **members)


def outbound(domain, name, to=("one",), **members):
    rcpts = [f"{recipient}@{domain}.example" for recipient in to]
    return message("outbound", name and f"{name}@{domain}.test", rcpts, **members)


def message(
    direction,
    sender,
    rcpts,
    disposition="continue",
    days=0,
    parts=(),
    size=1000,
    ip="192.0.2.20",
    header=None,
    modules=None,
    quarantine=None,
    actions=(),
):
    guid = uuid.uuid4().hex[:31] + "-"
    fields = {
        "disposition": disposition,
        "routeDirection": direction,
        "msgSizeBytes": size,
        "qid": guid[:14],
    }
    fields |= {"modules": modules or {}, "actions": list(actions)}
    return events.message(
        guid,
        # A little more than whole days, so that it is not on the boundary of a query's time range.
        ts=(NOW - datetime.timedelta(days=days, minutes=5)).isoformat(),
        connection={"ip": ip, "sid": guid[:10]},
        envelope={"from": sender, "rcpts": rcpts},
        filter=fields | ({"quarantine": quarantine} if quarantine else {}),
        msg={"header": {"message-id": [f"<{guid}>"], "subject": ["About"]} | (header or {})},
        msgParts=list(parts),
    )


def scored(**classifiers):
    return {"spam": {"scores": {"overall": 50, "engine": 50, "classifiers": classifiers}}}


def high_score(classifier, another):
    def case(domain):
        found = [
            inbound(domain, "stopped", modules=scored(**{classifier: 100}), disposition="discard"),
            inbound(domain, "deferred", modules=scored(**{classifier: 82}), disposition="retry"),
            inbound(
                domain,
                "passed",
                ["one", "two"],
                modules=scored(**{classifier: 81}),
                parts=[PAGE, PHOTO],
            ),
        ]
        missed = [
            inbound(domain, "at-the-threshold", modules=scored(**{classifier: 80})),
            inbound(domain, "otherwise", modules=scored(**{classifier: 1, another: 100})),
            inbound(domain, "unscored"),
            outbound(domain, "own", modules=scored(**{classifier: 100})),
        ]
        passed = {
            "Sender": f"passed@{domain}.example",
            "Score": 81,
            "Delivered": True,
            "Subject": "About",
        }
        passed |= {
            "RecipientName": "one",
            "RecipientDomain": f"{domain}.test",
            "Urls": ["https://example.org/a?b=c"],
        }
        if classifier == "malware":
            passed["Hashes"] = ["ef" * 32]
        answer = [
            passed,
            {"Sender": f"stopped@{domain}.example", "Score": 100, "Delivered": False},
            {"Sender": f"deferred@{domain}.example", "Score": 82, "Delivered": False},
        ]
        return found, missed, answer

    return case


def large_outbound(domain):
    usual = [
        outbound(domain, name, size=size, days=3)
        for name in ["Ann", "bob"]
        for size in [900_000, 1_100_000]
    ]
    usual += [
        outbound(domain, name, size=10_000, days=3) for name in ["cy", "dee", "past", "past", ""]
    ]
    usual += [
        inbound(domain, "outside", size=10_000, days=3),
        outbound(domain, "early", size=10_000, days=14),
    ]
    found = [
        *usual,
        outbound(domain, "ann", ["new"], size=2000001),
        outbound(domain, "cy", size=1000001),
        outbound(domain, "early", size=1500000),
    ]
    missed = [
        outbound(domain, "bob", size=2_000_000),
        outbound(domain, "dee", size=1_000_000),
        outbound(domain, "past", size=9_000_000, days=1),
        outbound(domain, "late", size=10_000, days=15),
        outbound(domain, "late", size=9_000_000),
        outbound(domain, "unknown", size=9_000_000),
        outbound(domain, "", size=9_000_000),
        outbound(domain, "ann", size=9_000_000, disposition="retry"),
        inbound(domain, "outside", size=9_000_000),
    ]
    ann = {
        "Sender": f"ann@{domain}.test",
        "NetworkBytes": 2_000_001,
        "MeanBytes": 1_000_000,
        "EarlierMessages": 2,
    }
    early = {
        "Sender": f"early@{domain}.test",
        "NetworkBytes": 1_500_000,
        "MeanBytes": 10_000,
        "EarlierMessages": 1,
    }
    cy = {
        "Sender": f"cy@{domain}.test",
        "NetworkBytes": 1_000_001,
        "MeanBytes": 10_000,
        "EarlierMessages": 1,
    }
    return (
        found,
        missed,
        [ann | {"Recipient": f"new@{domain}.example", "SenderName": "ann"}, early, cy],
    )


def many_stopped(domain):
    rule = [{"module": "spam", "rule": "definite", "action": "discard", "isFinal": True}]
    ways = ["reject", "discard"] * 5 + ["reject"]
    found = [
        inbound(domain, f"s{n % 2}", ["one", "TWO"], disposition=way, actions=rule)
        for n, way in enumerate(ways)
    ]
    missed = [inbound(domain, "s0", ["two", "three"], disposition="reject") for _ in range(10)]
    missed += [
        inbound(domain, "s0", ["four"], disposition=way)
        for way in ["continue", "accept", "retry"] * 4
    ]
    missed += [outbound(domain, "s0", ["five"], disposition="reject") for _ in range(11)]
    two = {
        "Recipient": f"two@{domain}.test",
        "Messages": 21,
        "SenderCount": 2,
        "Rules": ["spam/definite"],
    }
    one = {
        "Recipient": f"one@{domain}.test",
        "Messages": 11,
        "SenderCount": 2,
        "Rules": ["spam/definite"],
    }
    return found, missed, [two, one | {"Senders": [f"s0@{domain}.example", f"s1@{domain}.example"]}]


def corrupted_for_recipients(domain):
    found = [inbound(domain, "s", ["two", "one"], parts=[BODY, BROKEN]) for _ in range(10)]
    found += [inbound(domain, "s", ["ONE"], parts=[BODY, BODY, BROKEN], disposition="discard")]
    found += [inbound(domain, "t", ["six"], parts=[BROKEN], disposition="retry") for _ in range(12)]
    missed = [inbound(domain, "s", ["three"], parts=[BROKEN, BROKEN]) for _ in range(10)]
    missed += [inbound(domain, "s", ["four"], parts=[BODY]) for _ in range(11)]
    missed += [outbound(domain, "s", ["five"], parts=[BROKEN]) for _ in range(11)]
    one = {"Recipient": f"one@{domain}.test", "Messages": 11, "Delivered": 10, "Files": ["a.pdf"]}
    one |= {"Senders": [f"s@{domain}.example"], "RecipientName": "one"}
    return found, missed, [{"Recipient": f"six@{domain}.test", "Messages": 12, "Delivered": 0}, one]


def corrupted_from_senders(domain):
    found = [outbound(domain, "Ann", ["one", "two"], parts=[BODY, BROKEN]) for _ in range(10)]
    found += [outbound(domain, "ann", ["one"], parts=[BROKEN, BODY])]
    found += [outbound(domain, "eve", ["six"], parts=[BROKEN]) for _ in range(12)]
    missed = [outbound(domain, "bob", ["one", "two"], parts=[BROKEN, BROKEN]) for _ in range(10)]
    missed += [outbound(domain, "cy", parts=[BODY]) for _ in range(11)]
    missed += [outbound(domain, "", parts=[BROKEN]) for _ in range(11)]
    missed += [inbound(domain, "dee", parts=[BROKEN]) for _ in range(11)]
    ann = {"Sender": f"ann@{domain}.test", "Messages": 11, "Files": ["a.pdf"], "SenderName": "ann"}
    ann |= {"Recipients": [f"one@{domain}.example", f"two@{domain}.example"]}
    return found, missed, [{"Sender": f"eve@{domain}.test", "Messages": 12}, ann]


def suspicious_files(domain):
    found = [
        inbound(domain, "s1", ["one", "two"], parts=[BODY, DISGUISED]),
        inbound(domain, "s2", ["one"], parts=[DISGUISED, DISGUISED], disposition="reject"),
        inbound(domain, "s3", ["three"], parts=[BODY, SCRIPT], disposition="discard"),
    ]
    missed = [
        inbound(domain, "s4", parts=[BODY, PHOTO]),
        outbound(domain, "s5", parts=[DISGUISED]),
        inbound(domain, "s6"),
    ]
    disguised = {
        "FileType": "exe",
        "NamedType": "pdf",
        "FileName": "invoice.pdf",
        "Sha256": "ab" * 32,
        "Disguised": True,
    }
    disguised |= {
        "Messages": 2,
        "Delivered": 1,
        "Senders": [f"s1@{domain}.example", f"s2@{domain}.example"],
    }
    script = {
        "FileType": "txt",
        "NamedType": "js",
        "FileName": "run.js",
        "Sha256": "cd" * 32,
        "Disguised": False,
    }
    script |= {"Messages": 1, "Delivered": 0, "Recipients": [f"three@{domain}.test"]}
    return (
        found,
        missed,
        [disguised | {"Recipients": [f"one@{domain}.test", f"two@{domain}.test"]}, script],
    )


def impostors(domain):
    author, elsewhere = (
        {"from": [f'"The Boss, a@b" <Boss@{domain}.example>']},
        {"reply-to": ["Boss <boss@mail.example>"]},
    )
    same = {"reply-to": [f"BOSS@{domain}.example"]}
    triggered = scored(impostor=10)
    triggered["spam"]["triggeredClassifier"] = "impostor"
    found = [
        inbound(domain, "high", header=author | same, modules=scored(impostor=99)),
        inbound(domain, "elsewhere", header=author | elsewhere, modules=scored(impostor=51)),
        inbound(domain, "triggered", modules=triggered),
    ]
    missed = [
        inbound(domain, "at-the-threshold", modules=scored(impostor=50)),
        inbound(domain, "stopped", modules=scored(impostor=99), disposition="discard"),
        inbound(domain, "deferred", modules=scored(impostor=99), disposition="retry"),
        inbound(domain, "unscored"),
        outbound(domain, "own", modules=scored(impostor=99)),
    ]
    answer = [
        {"Sender": f"elsewhere@{domain}.example", "Score": 51, "RepliesElsewhere": True},
        {"Sender": f"high@{domain}.example", "Score": 99, "RepliesElsewhere": False},
        {"Sender": f"triggered@{domain}.example", "Score": 10, "RepliesElsewhere": False},
    ]
    return found, missed, answer


def dmarc(result, policy="none"):
    record = {"query": "_dmarc.sender.example", "record": f"v=DMARC1; p={policy}; sp=none"}
    return {"dmarc": {"filterdResult": result, "records": [record]}}


def dmarc_failures(domain):
    own = {"from": [f"Payroll <pay@{domain.upper()}.test>"]}
    found = [
        message(
            "inbound",
            f"bounce1@{domain}.example",
            [f"one@{domain.upper()}.test", "two@another.test"],
            header=own,
            modules=dmarc("fail", "REJECT"),
            ip="192.0.2.1",
        ),
        message(
            "inbound",
            f"a@{domain.upper()}.example",
            [f"x@{domain}.test"],
            ip="192.0.2.2",
            modules=dmarc("fail"),
        ),
        inbound(domain, "b", ip="192.0.2.2", modules=dmarc("fail"), disposition="accept"),
    ]
    missed = [
        inbound(domain, "c", ip="192.0.2.3", modules=dmarc("pass")),
        inbound(domain, "d", ip="192.0.2.4", modules=dmarc("fail"), disposition="discard"),
        inbound(domain, "e", ip="192.0.2.5"),
        outbound(domain, "f", ip="192.0.2.6", modules=dmarc("fail")),
    ]
    spoofed = {
        "FromDomain": f"{domain}.test",
        "SenderIp": "192.0.2.1",
        "OwnDomain": True,
        "Messages": 1,
        "Policy": "reject",
    }
    others = {
        "FromDomain": f"{domain}.example",
        "SenderIp": "192.0.2.2",
        "OwnDomain": False,
        "Messages": 2,
        "Policy": "none",
    }
    answer = [
        spoofed | {"Recipients": [f"one@{domain.upper()}.test", "two@another.test"]},
        others | {"Senders": [f"a@{domain.upper()}.example", f"b@{domain}.example"]},
    ]
    return found, missed, answer


def held_then_delivered(domain):
    def pair(name, then, now):
        identity = {"message-id": [f"<{name}@{domain}.example>"]}
        return [
            inbound(domain, name, header=identity, **then),
            inbound(domain, name, header=identity, **now),
        ]

    phish = {
        "disposition": "discard",
        "quarantine": {"folder": "Phish", "rule": "phish"},
        "days": 2,
        "to": ["one", "two"],
    }
    spam = phish | {"quarantine": {"folder": "Bulk", "rule": "spam"}}
    virus = spam | {
        "quarantine": {"folder": "Holding", "rule": "Virus_Protect"},
        "modules": scored(phish=99),
    }
    named = spam | {"days": 5, "modules": {"av": {"virusNames": ["EICAR"]}}}
    copied = phish | {"disposition": "continue", "quarantine": {"folder": "Phish", "rule": "audit"}}
    found = pair("released", phish, {"to": ["TWO"]}) + pair(
        "again", virus, {"days": 1, "to": ["one"]}
    )
    found += pair("infected", named, {"days": 3, "to": ["one"]}) + pair(
        "early", phish | {"days": 13}, {"days": 12}
    )
    missed = (
        pair("harmless", spam, {})
        + pair("copied", copied, {})
        + pair("held", phish, {"disposition": "discard"})
    )
    missed += pair("elsewhere", phish, {"to": ["three"]}) + pair("before", phish, {"days": 3})
    missed += [*pair("long-ago", phish | {"days": 14}, {}), inbound(domain, "alone")]
    unnamed = {"header": {"message-id": []}}
    missed += [
        inbound(domain, "unnamed", **phish, **unnamed),
        inbound(domain, "unnamed", **unnamed),
    ]
    triggered = {"spam": {"triggeredClassifier": "phish"}}
    missed += pair("not-held", phish | {"quarantine": None, "modules": triggered}, {})
    own = {"header": {"message-id": [f"<own@{domain}.test>"]}}
    missed += [outbound(domain, "own", **own, **phish), outbound(domain, "own", **own, to=["one"])]
    answer = [
        {
            "Sender": f"released@{domain}.example",
            "Recipient": f"two@{domain}.test",
            "Reasons": ["Phish/phish/"],
        },
        {
            "Sender": f"again@{domain}.example",
            "Recipient": f"one@{domain}.test",
            "Reasons": ["Holding/Virus_Protect/"],
        },
    ]
    answer[0] |= {"MessageId": f"<released@{domain}.example>", "RecipientName": "two"}
    answer[1] |= {"HeldScore": 50}
    answer += [
        {"Sender": f"infected@{domain}.example", "Reasons": ["Bulk/spam/"]},
        {"Sender": f"early@{domain}.example"},
    ]
    return found, missed, answer


def first_seen_authors(domain):
    def author(name):
        return {"from": [f'"A Name" <{name}@{domain}.example>']}

    eleven = [f"r{n}" for n in range(11)]
    known = [inbound(domain, "bounce0", header=author("Known"), days=14)]
    found = [
        inbound(domain, f"bounce{n}", [name], header=author("New")) for n, name in enumerate(eleven)
    ]
    found += [
        inbound(domain, "bounce0", header=author("new"), days=15),
        inbound(domain, "Bare", [*eleven, "R0", "r11"]),
    ]
    missed = [*known, inbound(domain, "bounce1", eleven, header=author("known"))]
    missed += [
        inbound(domain, "bounce2", [*eleven[:10], "R0"], header=author("few")),
        inbound(domain, "bounce3", eleven, header=author("stopped"), disposition="reject"),
        inbound(domain, "bounce4", eleven, header=author("yesterday"), days=1),
        inbound(domain, "", eleven),
        outbound(domain, "own", eleven),
    ]
    answer = [
        {
            "Author": f"bare@{domain}.example",
            "RecipientCount": 12,
            "Messages": 1,
            "AuthorName": "bare",
        },
        {
            "Author": f"new@{domain}.example",
            "RecipientCount": 11,
            "Messages": 11,
            "Subjects": ["About"],
        },
    ]
    return found, missed, answer


def outbound_spikes(domain):
    def to(number):
        return [f"r{n}" for n in range(number)]

    found = [
        outbound(domain, "New", to(27)),
        outbound(domain, "new", to(25), disposition="discard"),
    ]
    # Fourteen days with ten recipients each, all sent on one of them.
    usual = [outbound(domain, name, to(140), days=14) for name in ["grown", "same", "mailing"]]
    found += [outbound(domain, "grown", to(51)), outbound(domain, "grown", to(999), days=15)]
    missed = [
        *usual[1:],
        outbound(domain, "same", to(50)),
        outbound(domain, "mailing", to(10), days=2),
    ]
    missed += [outbound(domain, "mailing", to(53)), outbound(domain, "few", to(50))]
    missed += [outbound(domain, "long-ago", to(60), days=1), inbound(domain, "outside", to(60))]
    missed += [outbound(domain, "put-off", to(60), disposition="retry")] * 2
    missed += [outbound(domain, "", to(60), header={"subject": [f"{domain}."]})]
    grown = {
        "Sender": f"grown@{domain}.test",
        "RecipientCount": 51,
        "MeanOfDay": 10,
        "Messages": 1,
        "Stopped": 0,
    }
    new = {
        "Sender": f"new@{domain}.test",
        "RecipientCount": 52,
        "MeanOfDay": 0,
        "Messages": 2,
        "Stopped": 1,
    }
    return found + usual[:1], missed, [new | {"SenderName": "new"}, grown]


CASES = {
    "DmarcFailureDelivered": dmarc_failures,
    "FirstSeenSenderToManyRecipients": first_seen_authors,
    "HeldMessageDelivered": held_then_delivered,
    "HighScoreAdultValue": high_score("adult", "spam"),
    "HighScoreMalwareValue": high_score("malware", "suspect"),
    "HighScorePhishValue": high_score("phish", "malware"),
    "HighScoreSpamValue": high_score("spam", "mlx"),
    "HighScoreSuspectValue": high_score("suspect", "phish"),
    "ImpostorDelivered": impostors,
    "LargeOutboundEmails": large_outbound,
    "OutboundVolumeSpike": outbound_spikes,
    "RecipientsHighNumberDiscardReject": many_stopped,
    "RecipientsLargeNumberOfCorruptedEmails": corrupted_for_recipients,
    "SendersLargeNumberOfCorruptedEmails": corrupted_from_senders,
    "SuspiciousFileTypesInAttachments": suspicious_files,
}


def made():
    """The cases of all hunting queries: what each finds, what it nearly finds, and its result."""
    return {hunt: case(hunt.lower()) for hunt, case in CASES.items()}
