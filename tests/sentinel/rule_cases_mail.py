"""Mail that raises the analytic rules, and mail that misses one of their conditions."""

import json

from rule_events import ago, inbound, maillog, outbound, spam
from threat_indicators import FLAWS

QUOTED = {"labeledName": 'q"uote.zip', "sha256": ""}
WITH_PATH = {"labeledName": "C:\\x.zip", "detectedMime": "application/zip"}
BODY = {"detectedMime": "text/plain", "detectedExt": "TXT", "labeledName": ""}
ZIP = {
    "detectedMime": "application/zip",
    "detectedExt": "ZIP",
    "isArchive": True,
    "labeledName": "a.zip",
}
ZIP |= {"sha256": "AB" * 32}
EXE = {
    "detectedMime": "application/x-msdownload",
    "detectedExt": "EXE",
    "labeledName": "a.exe",
    "sha256": "CD" * 32,
}
OTHER = {"labeledName": "removed.pdf", "sha256": "12" * 32}
GZIP = {"detectedMime": "application/gzip", "detectedExt": "GZ", "labeledName": "a.tar.gz"}
LOCKED = {
    "detectedMime": "application/pdf",
    "isProtected": True,
    "labeledName": "",
    "detectedName": "b.pdf",
}
PGP = {"detectedMime": "application/pgp-encrypted", "isProtected": False}
PAGE = {
    "detectedExt": "HTML",
    "urls": [{"url": "https://user@Bad.example:8443/Path?q=1", "src": ["filter"]}],
}
GOOD_PAGE = {
    "detectedExt": "HTML",
    "urls": [{"url": "https://good.example/bad.example", "src": ["filter"]}],
}
WEAK = {"ip": "192.0.2.66", "tls": {"inbound": {"cipher": "DES-CBC3-SHA", "version": "TLSv1"}}}
STRONG = {
    "ip": "192.0.2.67",
    "tls": {"inbound": {"cipher": "ECDHE-RSA-AES256-GCM-SHA384", "version": "TLSv1.2"}},
}

# An event that the rules that run every ten minutes leave out, because an earlier run checked it.
ALREADY_CHECKED = {"ingested": ago(minutes=11)}
# The same for the rules that run every hour.
CHECKED_AN_HOUR_AGO = {"ingested": ago(minutes=61)}

LARGE = 3_000_001


def removed(part):
    """The part as it is in the event if the filter removed it from the message."""
    return part | {"isDeleted": True}


def stopped(way, **members):
    """Messages that would raise a rule on delivered messages if they were inbound and delivered."""
    others = [
        [way(disposition=disposition, **members)] for disposition in ["reject", "discard", "retry"]
    ]
    return [*others, [outbound(**members)], [way(**members, **ALREADY_CHECKED)]]


def dmarc(result, record=None, header_from=None):
    said = {"filterdResult": result}
    if record:
        said["records"] = [{"query": "_dmarc.bank.example", "record": record}]
    if header_from:
        said["authResults"] = [
            {"method": "dmarc", "result": result, "emailIdentities": {"header.from": header_from}}
        ]
    return {"dmarc": said}


def people(number, domain="acme.example"):
    return [f"r{n}@{domain}" for n in range(number)]


def author(address="{sender}"):
    return {"from": [f'"A Name, b@c" <{address}>']}


def released(then, now):
    """A message that was held, and the same message later."""
    same = {"message-id": ["<held.{sender}>"]}
    held = {"quarantine": {"folder": "Phish", "rule": "phish"}, "disposition": "discard"}
    held |= {"sent": ago(days=2), "ingested": ago(days=2), "header": same}
    return [inbound(**held | then), inbound(**{"header": same} | now)]


IMPOSTOR = {"modules": spam(impostor=81), "header": author() | {"reply-to": ["else@mail.example"]}}
PHISH = {"modules": spam(phish=81)}
CLEANED = {"action": "continue", "module": "av", "rule": 'clean {"all"} of } it'}
VIRUS = {"modules": {"av": {"virusNames": ["EICAR"]}}}
REJECTED = {"modules": dmarc("fail", "v=DMARC1; sp=none; p=reject", "Bank.example")}
SPOOFED = {"modules": dmarc("fail", "v=DMARC1; p=none"), "header": author("boss@Acme.example")}
TWENTY_ONE = {"to": people(21)}
LONG_AGO = {"sent": ago(days=8), "ingested": ago(days=8)}
# Earlier than a rule can see.
FORGOTTEN = {"sent": ago(days=15), "ingested": ago(days=15)}
SPAM = {"quarantine": {"folder": "Bulk", "rule": "spam"}}

INBOUND = {
    "BinaryInAttachment": (
        [
            [inbound([BODY, WITH_PATH, ZIP])],
            [inbound([EXE])],
            [inbound([BODY, ZIP], sent=ago(hours=23))],
            [inbound([GZIP])],
        ],
        [
            [inbound([BODY])],
            [inbound([BODY, ZIP], disposition="discard")],
            [inbound([BODY, ZIP], disposition="reject")],
            [inbound([BODY, ZIP], disposition="retry")],
            [outbound(parts=[BODY, ZIP])],
            [inbound([BODY, ZIP], **ALREADY_CHECKED)],
        ],
        {
            "Files": ["a.zip", "C:\\x.zip"],
            "Sha256": "ab" * 32,
            "RecipientName": "one",
            "Recipients": '["one@acme.example"]',
        },
    ),
    "HighRiskNotDiscarded": (
        [
            [inbound(modules=spam(overall=100))],
            [inbound(modules=spam(overall=100), to=["one@acme.example", "two@acme.example"])],
        ],
        [
            [inbound(modules=spam(overall=99))],
            [inbound(modules=spam(overall=100), disposition="reject")],
            [inbound(modules=spam(overall=100), disposition="discard")],
            [inbound(modules=spam(overall=100), disposition="retry")],
            [inbound()],
            [outbound(modules=spam(overall=100))],
            [inbound(modules=spam(overall=100), **ALREADY_CHECKED)],
        ],
        {"SpamScore": 100, "RecipientDomain": "acme.example"},
    ),
    "SuspiciousAttachment": (
        [
            [inbound([BODY, EXE])],
            [inbound([{"detectedExt": "TXT", "labeledExt": "PS1"}])],
            [inbound([ZIP, {"detectedExt": "LNK", "isVirtual": True}])],
            [inbound([{"detectedExt": "DLL", "labeledExt": "xll"}])],
        ],
        [
            [inbound([BODY, ZIP])],
            # A hunting query covers documents, images and links.
            [
                inbound(
                    [
                        {"detectedExt": kind, "labeledExt": kind}
                        for kind in ["DOCM", "ISO", "PNG", "SVG", "URL", "ONE"]
                    ]
                )
            ],
            [inbound([EXE], disposition="retry")],
            [inbound([EXE], disposition="discard")],
            [inbound([EXE], disposition="reject")],
            [outbound(parts=[EXE])],
            [inbound([EXE], **ALREADY_CHECKED)],
        ],
        {"FileName": "a.exe", "Sha256": "cd" * 32, "HashAlgorithm": "SHA256"},
    ),
    "ImpostorDelivered": (
        [
            [inbound(**IMPOSTOR)],
            [inbound(modules=spam("Impostor", impostor=5))],
            [inbound(modules=spam(impostor=81), header={"from": ["EXAMPLE,  Erika <{sender}>"]})],
        ],
        [
            [inbound(modules=spam("phish", impostor=80, phish=99))],
            [inbound()],
            *stopped(inbound, **IMPOSTOR),
        ],
        {
            "Score": 81,
            "RepliesElsewhere": True,
            "AlertSeverity": "Medium",
            "ReplyTo": "else@mail.example",
        },
    ),
    "PhishDelivered": (
        [
            [inbound(**PHISH, parts=[PAGE, ZIP, removed(OTHER)])],
            [inbound(modules=spam(malware=81))],
            [inbound(modules=spam("Phish"))],
            [inbound(modules=spam("malware"))],
            [inbound(**PHISH, to=["one@acme.example", "two@acme.example"])],
        ],
        [
            [inbound(modules=spam("spam", phish=80, malware=80, impostor=99))],
            [inbound()],
            *stopped(inbound, **PHISH),
        ],
        {
            "Threat": "Phish",
            "PhishScore": 81,
            "Hashes": ["ab" * 32],
            "Urls": "https://user@Bad.example:8443/Path?q=1",
        },
    ),
    "VirusDelivered": (
        [
            [inbound(**VIRUS, parts=[BODY, EXE, removed(OTHER), QUOTED], actions=[CLEANED])],
            [outbound(**VIRUS)],
            [inbound(**VIRUS, to=["one@acme.example", "two@acme.example"])],
        ],
        [
            *stopped(inbound, **VIRUS)[:3],
            [inbound(**VIRUS, **ALREADY_CHECKED)],
            [inbound(modules={"av": {"virusNames": []}})],
            [inbound()],
        ],
        {
            "Virus": "EICAR",
            "Recipient": "one@acme.example",
            "Files": ["a.exe", 'q"uote.zip'],
            "Hashes": ["cd" * 32],
            "AvActions": json.dumps(CLEANED, separators=(",", ":")),
        },
    ),
    "DmarcFailureAccepted": (
        [
            [inbound(**REJECTED)],
            [inbound(modules=dmarc("fail", "v=DMARC1;p=quarantine"), header=author())],
            [inbound(**SPOOFED)],
            [inbound(modules=dmarc("fail", header_from="mail.acme.example"))],
            [inbound(**REJECTED, parts=[removed(EXE)])],
        ],
        [
            [inbound(modules=dmarc("pass", "v=DMARC1; p=reject", "bank.example"))],
            [inbound(modules=dmarc("fail", "v=DMARC1; p=none; sp=reject", "bank.example"))],
            [inbound(modules=dmarc("fail", header_from="notacme.example"))],
            [inbound(modules=dmarc("fail", "v=DMARC1; p=reject"))],
            [inbound()],
            *stopped(inbound, **REJECTED),
        ],
        {"FromDomain": "bank.example", "Policy": "reject", "Claim": "policy reject"},
    ),
    "FirstSeenSenderToManyRecipients": (
        [
            [
                inbound(header=author(), **TWENTY_ONE),
                inbound(header=author(), connection={"ip": ""}),
            ],
            [inbound(to=people(21)[:11]), inbound(to=people(21)[11:])],
            [inbound(**TWENTY_ONE), inbound(**FORGOTTEN)],
        ],
        [
            [inbound(to=[*people(20), "R0@acme.example"], header=author())],
            [
                inbound(**TWENTY_ONE, header=author()),
                inbound(**LONG_AGO, header=author("{name}@{domain}")),
            ],
            [inbound(**TWENTY_ONE, disposition="discard")],
            [inbound(**TWENTY_ONE, disposition="reject")],
            [inbound(**TWENTY_ONE, disposition="retry")],
            [outbound(**TWENTY_ONE)],
            [inbound(**TWENTY_ONE, **CHECKED_AN_HOUR_AGO)],
            [inbound(**TWENTY_ONE, sender="")],
        ],
        {
            "RecipientCount": 22,
            "Messages": 2,
            "SenderIp": "192.0.2.20",
            "AuthorDomain": "firstseensendertomanyrecipients.example",
        },
    ),
    "MaliciousMessageReleased": (
        [
            released({}, {}),
            released(SPAM | VIRUS, {}),
            released(
                SPAM | {"modules": spam("impostor", 60)},
                {"to": ["ONE@acme.example", "two@acme.example"]},
            ),
            released({}, {"sent": ago(days=1)}),
        ],
        [
            released(SPAM, {}),
            released({"disposition": "continue"}, {}),
            released({"quarantine": None, "modules": spam("phish")}, {}),
            released({}, {"disposition": "discard"}),
            released({}, {"disposition": "reject"}),
            released({}, {"disposition": "retry"}),
            released({}, {"to": ["two@acme.example"]}),
            released({}, {"sent": ago(days=3)}),
            released({}, CHECKED_AN_HOUR_AGO),
            released({"routeDirection": "outbound"}, {"routeDirection": "outbound"}),
            released(FORGOTTEN, {}),
            released({"header": {"message-id": []}}, {"header": {"message-id": []}}),
            released({"header": {"message-id": ["<another.{sender}>"]}}, {}),
        ],
        {"Reasons": ["Phish/phish/"], "Recipient": "one@acme.example"},
    ),
}

LINKED = {"parts": [BODY, PAGE]}


def page(url):
    return {"parts": [{"urls": [{"url": url}]}]}


SHARED = page("https://shared.example/{name}")


def listed(known, flaw=None, **members):
    return inbound(listed=[known, flaw] if flaw else [known], **members)


def unlisted(known, ways):
    """Messages that a threat intelligence rule leaves out: those with an invalid indicator, and those
    that were checked before or are more than a week old. Each needs its own members."""
    times = [CHECKED_AN_HOUR_AGO, {"sent": ago(days=9)}]
    flawed = [
        [listed(known, flaw, **way)] for flaw, way in zip(FLAWS, ways[: len(FLAWS)], strict=True)
    ]
    return flawed + [
        [listed(known, **way, **at)] for at, way in zip(times, ways[len(FLAWS) :], strict=True)
    ]


def addresses(number):
    return [{"connection": {"ip": f"198.51.100.{n}"}} for n in range(10, 10 + number)]


# The mail log has lines about the same messages.
LOGGED = {"sm": {"from": "<{sender}>", "relay": "a [198.51.100.7]"}}

THREATS = {
    "EmailSenderInTIList": (
        [[listed("email-addr:value", to=["one@acme.example", "two@acme.example"])]],
        [
            [inbound()],
            [maillog(**LOGGED, listed=["email-addr:value"])],
            *unlisted("email-addr:value", [{}] * 6),
        ],
        {"Confidence": 80, "Recipients": '["one@acme.example","two@acme.example"]'},
    ),
    "EmailSenderIPInTIList": (
        [
            [listed("ipv4-addr:value", connection={"ip": "198.51.100.7"})],
            [listed("ipv6-addr:value", connection={"ip": "2001:DB8::7"})],
            [listed("network-traffic:src_ref.value", connection={"ip": "198.51.100.6"})],
        ],
        [
            [inbound(connection={"ip": "198.51.100.8"})],
            # The filter stopped these.
            *(
                [listed("ipv4-addr:value", disposition=each, connection={"ip": f"198.51.100.{ip}"})]
                for ip, each in [(20, "reject"), (21, "discard"), (22, "retry")]
            ),
            [maillog(**LOGGED)],
            *unlisted("ipv4-addr:value", addresses(6)),
        ],
        {"SenderIp": "198.51.100.7", "SenderDomain": "emailsenderipintilist.example"},
    ),
    "EmailUrlInTIList": (
        [
            [listed("domain-name:value", **LINKED)],
            [listed("url:value", **SHARED)],
            [listed("url:value", **page("https://shared.example/{name}/"))],
            [listed("domain-name:value", **page("Bad.example/Path?by=someone@good.example"))],
            [listed("domain-name:value", **page("hxxp+x://one@two@bad.example:8443"))],
            [
                listed(
                    "ipv4-addr:value",
                    connection={"ip": "203.0.113.9"},
                    **page("http://203.0.113.9:8080/a"),
                )
            ],
            [
                listed(
                    "ipv6-addr:value",
                    connection={"ip": "2001:db8::9"},
                    **page("http://[2001:DB8::9]:8080/a"),
                )
            ],
            [listed("domain-name:value", **LINKED, to=["one@acme.example", "two@acme.example"])],
        ],
        [
            [inbound([GOOD_PAGE])],
            [inbound(**page("https://good.example/?to=x@bad.example"))],
            [inbound()],
            *stopped(inbound, **LINKED)[:4],
            *unlisted("url:value", [SHARED] * 6),
        ],
        {"Host": "bad.example", "Recipient": "one@acme.example"},
    ),
    "WeakCiphers": (
        [
            [inbound(connection=WEAK)],
            [
                maillog(
                    tls={"cipher": "RC4-MD5", "version": "TLSv1"},
                    sm={"from": "<{sender}>", "relay": "a [192.0.2.68]"},
                )
            ],
        ],
        [
            [inbound(connection=STRONG)],
            [inbound()],
            [inbound(connection=WEAK | {"ip": "192.0.2.69"}, **CHECKED_AN_HOUR_AGO)],
        ],
        {"PeerIp": "192.0.2.66", "TlsCipher": "DES-CBC3-SHA"},
    ),
}

HALF_AN_HOUR_AGO = {"ingested": ago(minutes=31)}
BEFORE = {"sent": ago(days=3), "ingested": ago(days=3)}


def in_capitals(**members):
    """Four messages from one sender to one recipient, with their addresses in different spellings."""
    return [outbound(**members)] * 2 + [
        outbound(["Someone@Other.example"], **members),
        outbound(sender="{SENDER}", **members),
    ]


OUTBOUND = {
    "DataExfiltrationToPrivateEmail": (
        [
            [outbound(["{name}@Private.example"], [ZIP, removed(OTHER), WITH_PATH, QUOTED])],
            [outbound(["{name}@private.example"])],
        ],
        [
            [outbound(["{name}@private.example", "two@private.example"])],
            [outbound(["other@private.example"])],
            [outbound(["{name}@private.example"], disposition="retry")],
            [outbound(["{sender}"])],
            [outbound(["@private.example"], sender="@{domain}")],
            [inbound(to=["{name}@private.example"])],
            [outbound(["{name}@private.example"], **ALREADY_CHECKED)],
        ],
        {
            "Recipient": "raises0@Private.example",
            "Files": ["C:\\x.zip", "a.zip", 'q"uote.zip'],
        },
    ),
    "MultipleArchivedAttachmentsToSameRecipient": (
        [
            [outbound(parts=[BODY, ZIP])] * 3
            + [outbound(parts=[BODY, ZIP], disposition="discard")],
            in_capitals(parts=[ZIP]),
            [outbound(parts=[{"isArchive": True}])] * 4,
            [outbound(parts=[{"detectedMime": "application/zip"}])] * 4,
        ],
        [
            [outbound(parts=[ZIP, ZIP])] * 3,
            [outbound(parts=[ZIP])] * 3 + [outbound(parts=[ZIP], disposition="retry")],
            [outbound(parts=[ZIP], sender="")] * 4,
            [outbound([f"{n}@other.example"], [ZIP]) for n in range(4)],
            [outbound(parts=[EXE])] * 4,
            [outbound(parts=[removed(ZIP)])] * 4,
            [inbound([ZIP])] * 4,
            [outbound(parts=[ZIP], **HALF_AN_HOUR_AGO)] * 4,
        ],
        {"Messages": 4, "Stopped": 1, "Files": ["a.zip"]},
    ),
    "MultipleLargeEmailsToSameRecipient": (
        [
            [outbound(msgSizeBytes=LARGE)] * 3
            + [outbound(msgSizeBytes=LARGE, disposition="reject")],
            in_capitals(msgSizeBytes=LARGE),
        ],
        [
            [outbound(msgSizeBytes=LARGE)] * 3,
            [outbound(msgSizeBytes=LARGE)] * 3
            + [outbound(msgSizeBytes=LARGE, disposition="retry")],
            [outbound(msgSizeBytes=LARGE, sender="")] * 4,
            [outbound(msgSizeBytes=3_000_000)] * 4,
            [outbound([f"{n}@other.example"], msgSizeBytes=LARGE) for n in range(4)],
            [inbound(msgSizeBytes=LARGE)] * 4,
            [outbound(msgSizeBytes=LARGE, **HALF_AN_HOUR_AGO)] * 4,
        ],
        {"Messages": 4, "Stopped": 1, "Bytes": 4 * LARGE},
    ),
    "MultipleProtectedEmailsToUnknownRecipient": (
        [
            [outbound(parts=[BODY, LOCKED]), outbound(parts=[PGP])],
            [outbound(parts=[LOCKED])] * 2 + [outbound(**FORGOTTEN)],
            [outbound(parts=[LOCKED])] * 2 + [outbound(**BEFORE, disposition="retry")],
            in_capitals(parts=[LOCKED])[1:3],
        ],
        [
            [outbound(parts=[BODY, LOCKED])],
            [outbound(parts=[BODY])] * 2,
            [outbound(parts=[removed(LOCKED)])] * 2,
            [outbound(parts=[LOCKED]), outbound(parts=[LOCKED], disposition="retry")],
            [outbound(parts=[LOCKED])] * 2 + [outbound(**BEFORE)],
            [outbound(parts=[LOCKED])] * 2
            + [outbound(["Someone@Other.example"], sender="{SENDER}", **BEFORE)],
            [inbound([LOCKED])] * 2,
            [outbound(parts=[LOCKED], **CHECKED_AN_HOUR_AGO)] * 2,
        ],
        {"Messages": 2, "Stopped": 0, "SenderName": "raises0"},
    ),
    "OutboundVolumeSpike": (
        [
            [
                outbound(people(1, "other.example"), connection={"ip": ""}),
                outbound(people(100, "other.example")),
            ],
            [
                outbound(people(50, "other.example")),
                outbound(people(52, "other.example"), disposition="discard"),
            ],
            [
                outbound(people(103, "other.example")),
                outbound(people(34, "other.example"), **LONG_AGO),
            ],
            [
                outbound(people(103, "other.example")),
                outbound(people(99, "other.example"), **FORGOTTEN),
            ],
            [
                outbound(people(103, "other.example")),
                outbound(people(99, "other.example"), **LONG_AGO, disposition="retry"),
            ],
        ],
        [
            [outbound(people(100, "other.example"))],
            [outbound(people(101, "other.example"), disposition="retry")],
            [
                outbound(people(103, "other.example")),
                *[outbound(people(18, "other.example"), **LONG_AGO)] * 2,
            ],
            [outbound(people(60, "other.example"), sent=ago(hours=hours)) for hours in [0, 2]],
            [inbound(to=people(101))],
            [outbound(people(101, "other.example"), **CHECKED_AN_HOUR_AGO)],
            [outbound(people(101, "other.example"), sender="")],
        ],
        {
            "RecipientCount": 101,
            "Messages": 2,
            "SenderIp": "192.0.2.20",
            "BusiestDay": 0,
            "Hours": 1,
            "Stopped": 0,
        },
    ),
}
