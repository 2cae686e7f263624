"""Senders that pretend to be others, and URLs and connections without protection, that raise the analytic
rules, and mail that misses one of their conditions."""

import watchlists
from rule_cases_mail import CHECKED_AN_HOUR_AGO, page
from rule_cases_threats import ALLOWED
from rule_events import ago, inbound, outbound


def written_by(author, reply_to=None):
    """Header fields with this author."""
    header = {"from": [author]}
    return {"header": header | ({"reply-to": [reply_to]} if reply_to else {})}


def not_delivered(**members):
    """Messages that a rule on delivered messages leaves out."""
    others = [[inbound(disposition=each, **members)] for each in ["reject", "discard", "retry"]]
    return [*others, [outbound(**members)], [inbound(**members, **CHECKED_AN_HOUR_AGO)]]


VIP = written_by('"Erika  Example" <erika@private.example>', "Pay <pay@mail.example>")

NAMES = {
    "VipNameFromOutside": (
        [
            [inbound(**VIP, to=["one@acme.example", "two@acme.example"])],
            [inbound(**written_by("EXAMPLE, Erika <erika@private.example>"))],
            # Erika Example, encoded.
            [inbound(**written_by("=?utf-8?Q?Erika_Example?= <erika@private.example>"))],
        ],
        [
            [inbound(**written_by("Erika Example-Other <erika@private.example>"))],
            [inbound(**written_by("Erika Example <erika@ACME.example>"))],
            [inbound(**written_by(f"Erika Example <erika@{watchlists.OWN_DOMAIN}>"))],
            [inbound(**written_by(f"Erika Example <{watchlists.ALLOWED_MAILBOX}>"))],
            [inbound(**written_by(f"Erika Example <erika@{watchlists.ALLOWED_DOMAIN}>"))],
            [inbound(**written_by("erika@private.example"))],
            *not_delivered(**VIP),
        ],
        {
            "AuthorAddress": "erika@private.example",
            "ReplyToAddress": "pay@mail.example",
            "RecipientName": "one",
        },
    ),
}


def ceo(domain, **members):
    return inbound(**written_by(f"The Boss <ceo@{domain}>"), **members)


LIKE = written_by("The Boss <ceo@contosa.example>")

DOMAINS = {
    # contoso.example is on the watchlist of own domains.
    "LookalikeSenderDomain": (
        [
            [
                ceo("c0ntoso.example", to=["one@contoso.example"], sent=ago(minutes=3)),
                ceo("c0ntoso.example", to=["two@acme.example"]),
            ],
            [ceo("contosso.example")],
            [ceo("contso.example")],
            [ceo("cnotoso.example")],
            [ceo("con-toso.example")],
            [ceo("contoso-invoices.example")],
            [ceo("contoso.example.login.example")],
            [ceo("contoso.co.test")],
            # The first "o" is a Cyrillic letter.
            [ceo("xn--cntoso-5jg.example")],
            # A domain of recipients is an own domain.
            [ceo("fabrikarn.example", to=["one@fabrikam.example"])],
            # Without an author, the envelope's sender counts.
            [inbound(sender="{sender}.contos0.example")],
        ],
        [
            [ceo("contoso.example")],
            [ceo("mail.eu.contoso.example")],
            [ceo("contrast.example")],
            [ceo("mycontosoblog.example")],
            # Of a name with four characters, too many are neighbours.
            [ceo("acne.example")],
            [ceo("contoso-agency.example")],
            [ceo("mail.contoso-agency.example")],
            *not_delivered(**LIKE),
        ],
        {
            "Likeness": "look-alike characters",
            "FromDomain": "c0ntoso.example",
            "OwnName": "contoso",
            "Messages": 2,
            "Recipients": ["one@contoso.example", "two@acme.example"],
        },
    ),
}

FREE = written_by("Billing <billing@supplier.example>", "Billing <Billing@Gmail.com>")


def rewriting(rewritten=1, **counts):
    return {"modules": {"urldefense": {"counts": {"total": 2, "rewritten": rewritten} | counts}}}


TOO_LONG = rewriting(noRewriteIsMaxLengthExceeded=1) | page("https://long.example/a")

LEADS = {
    "ReplyToFreemail": (
        [[inbound(**FREE)]],
        [
            [inbound(**written_by("A <a@gmail.com>", "A <a@outlook.com>"))],
            [inbound(**written_by("A <a@supplier.example>", "A <a@supplier.example>"))],
            [inbound(**written_by("A <a@supplier.example>"))],
            [inbound(**written_by("A <a@supplier.example>", "A <a@gmail.com.example>"))],
            [inbound(**written_by(f"A <a@{watchlists.ALLOWED_DOMAIN}>", "A <a@gmail.com>"))],
            *not_delivered(**FREE),
        ],
        {"ReplyToAddress": "billing@gmail.com", "AuthorAddress": "billing@supplier.example"},
    ),
    "UrlNotRewritten": (
        [
            [inbound(**TOO_LONG)],
            [inbound(**rewriting(noRewriteIsUnsupportedScheme=1))],
            [inbound(**rewriting(noRewriteIsSchemeless=1))],
            [inbound(**rewriting(noRewriteIsLargeMsgPartSize=2))],
        ],
        [
            [inbound(**rewriting(2, noRewriteIsMaxLengthExceeded=0))],
            # The administrator excludes these.
            [inbound(**rewriting(noRewriteIsExcludedDomain=1, noRewriteIsEmail=1))],
            [inbound(**page("https://long.example/b"))],
            [inbound(**TOO_LONG, **ALLOWED)],
            *not_delivered(**TOO_LONG),
        ],
        {"Reasons": "too long", "NotRewritten": 1, "Url": "https://long.example/a"},
    ),
}

# A domain of its own for each case.
PARTNER = {"sender": "{sender}.{name}.test"}


def over(version, **members):
    """A message over this version of TLS."""
    tls = {"tls": {"inbound": {"version": version}}} if version else {}
    address = members.pop("ip", "192.0.2.30")
    return inbound(**PARTNER | members, connection={"ip": address} | tls)


def usual(number=20, days=5, version="TLSv1.2", **members):
    """Messages of a partner before the last day."""
    times = [ago(days=2 + n % days) for n in range(number)]
    return [over(version, sent=time, ingested=time, **members) for time in times]


A_DAY_AGO = {"sent": ago(hours=25), "ingested": ago(hours=25)}
LISTED = {"sender": f"{{sender}}.{watchlists.PARTNER}"}

CONNECTIONS = {
    "PartnerTlsDowngrade": (
        [
            [*usual(), over("NONE", ip="192.0.2.31"), over("TLSv1.3")],
            [*usual(), over(None)],
            [*usual(), over("TLSv1")],
            [*usual(2, 2, **LISTED), over("NONE", **LISTED)],
        ],
        [
            [*usual(), over("TLSv1.2")],
            [*usual(19), over("NONE")],
            [*usual(20, 4), over("NONE")],
            [*usual(), over("NONE", **A_DAY_AGO), over("NONE")],
            [*usual(), over("NONE", **A_DAY_AGO)],
            [*usual(), over("NONE", modules={"spf": {"result": "softfail"}})],
            [*usual(), over("NONE", disposition="reject")],
            [*usual(), over("NONE", routeDirection="outbound")],
            [*usual(), over("NONE", ip=watchlists.ALLOWED_IP)],
            [over("NONE")],
        ],
        {"Found": "without TLS", "Messages": 1, "Before": 20, "SenderIp": "192.0.2.31"},
    ),
}

CASES = NAMES | DOMAINS | LEADS | CONNECTIONS
