"""The columns that the parser should return for an event, computed without KQL."""

import datetime
import json
import re

import times

# The path of each column in an event. These are the same in messages and in the mail log.
ORIGIN = {
    "MetadataOriginDataCid": "metadata/origin/data/cid",
    "MetadataOriginDataAgent": "metadata/origin/data/agent",
    "MetadataOriginDataVersion": "metadata/origin/data/version",
    "PpsCid": "pps/cid",
    "PpsAgent": "pps/agent",
    "PpsVersion": "pps/version",
}

MESSAGE = {
    "SrcIpAddr": "connection/ip",
    "SrcDvcHostname": "connection/host",
    "SrcGeoCountry": "connection/country",
    "ConnectionHelo": "connection/helo",
    "NetworkSessionId": "connection/sid",
    "NetworkProtocol": "connection/protocol",
    "NetworkConnectionState": "connection/resolveStatus",
    "TlsVersion": "connection/tls/inbound/version",
    "TlsCipher": "connection/tls/inbound/cipher",
    "TlsCipherBits": "connection/tls/inbound/cipherBits",
    "SrcUserUpn": "envelope/from",
    "EnvelopeFromHashed": "envelope/fromHashed",
    "DstUserUpn": "envelope/rcpts",
    "EnvelopeRcptsHashed": "envelope/rcptsHashed",
    "MsgLang": "msg/lang",
    "MsgHeaderFrom": "msg/header/from",
    "MsgHeaderFromHashed": "msg/header/fromHashed",
    "MsgHeaderMessageId": "msg/header/message-id",
    "MsgHeaderSubject": "msg/header/subject",
    "MsgHeaderTo": "msg/header/to",
    "MsgHeaderToHashed": "msg/header/toHashed",
    "MsgHeaderCc": "msg/header/cc",
    "MsgHeaderCcHashed": "msg/header/ccHashed",
    "MsgHeaderReplyTo": "msg/header/reply-to",
    "MsgHeaderReplyToHashed": "msg/header/reply-toHashed",
    "MsgHeaderReturnPath": "msg/header/return-path",
    "MsgHeaderReturnPathHashed": "msg/header/return-pathHashed",
    "MsgHeaderXMailer": "msg/header/x-mailer",
    "MsgHeaderXOriginatingIp": "msg/header/x-originating-ip",
    "MsgNormalizedHeaderFrom": "msg/normalizedHeader/from",
    "MsgNormalizedHeaderFromHashed": "msg/normalizedHeader/fromHashed",
    "MsgNormalizedHeaderMessageId": "msg/normalizedHeader/message-id",
    "MsgNormalizedHeaderSubject": "msg/normalizedHeader/subject",
    "MsgNormalizedHeaderTo": "msg/normalizedHeader/to",
    "MsgNormalizedHeadertoHashed": "msg/normalizedHeader/toHashed",
    "MsgNormalizedHeaderCc": "msg/normalizedHeader/cc",
    "MsgNormalizedHeaderCcHashed": "msg/normalizedHeader/ccHashed",
    "MsgNormalizedHeaderReplyTo": "msg/normalizedHeader/reply-to",
    "MsgNormalizedHeaderReplyToHashed": "msg/normalizedHeader/reply-toHashed",
    "MsgNormalizedHeaderReturnPath": "msg/normalizedHeader/return-path",
    "MsgNormalizedHeaderReturnPathHashed": "msg/normalizedHeader/return-pathHashed",
    "MsgNormalizedHeaderXMailer": "msg/normalizedHeader/x-mailer",
    "MsgNormalizedHeaderXOriginatingIp": "msg/normalizedHeader/x-originating-ip",
    "MsgParsedAddressesFrom": "msg/parsedAddresses/from",
    "MsgParsedAddressesFromHashed": "msg/parsedAddresses/fromHashed",
    "MsgParsedAddressesTo": "msg/parsedAddresses/to",
    "MsgParsedAddressesToHashed": "msg/parsedAddresses/toHashed",
    "MsgParsedAddressesCc": "msg/parsedAddresses/cc",
    "MsgParsedAddressesCcHashed": "msg/parsedAddresses/ccHashed",
    "FilterQid": "filter/qid",
    "FilterOrigGuid": "filter/origGuid",
    "FilterDisposition": "filter/disposition",
    "NetworkDirection": "filter/routeDirection",
    "FilterActions": "filter/actions",
    "FilterRoutes": "filter/routes",
    "FilterQuarantineFolder": "filter/quarantine/folder",
    "FilterQuarantineRule": "filter/quarantine/rule",
    "FilterIsMsgEncrypted": "filter/isMsgEncrypted",
    "FilterIsMsgReinjected": "filter/isMsgReinjected",
    "FilterMsgSizeBytes": "filter/msgSizeBytes",
    "NetworkBytes": "filter/msgSizeBytes",
    "NetworkDuration": "filter/durationSecs",
    "EventStartTime": "filter/startTime",
    "FilterThrottleIp": "filter/throttleIp",
    "FilterSuborgsSender": "filter/suborgs/sender",
    "FilterSuborgsRcpts": "filter/suborgs/rcpts",
    "FilterVerifiedRcpts": "filter/verified/rcpts",
    "FilterVerifiedRcptsHashed": "filter/verified/rcptsHashed",
    "FilterModulesAvVirusNames": "filter/modules/av/virusNames",
    "FilterModulesDkimv": "filter/modules/dkimv",
    "FilterModulesDmarcFilterdResult": "filter/modules/dmarc/filterdResult",
    "FilterModulesDmarcSrvid": "filter/modules/dmarc/srvid",
    "FilterModulesDmarcAuthResults": "filter/modules/dmarc/authResults",
    "FilterModulesDmarcAlignment": "filter/modules/dmarc/alignment",
    "FilterModulesDmarcRecords": "filter/modules/dmarc/records",
    "FilterModulesPdrV2Response": "filter/modules/pdr/v2/response",
    "FilterModulesPdrV2Rscore": "filter/modules/pdr/v2/rscore",
    "FilterModulesSpfDomain": "filter/modules/spf/domain",
    "FilterModulesSpfResult": "filter/modules/spf/result",
    "FilterModulesSpamTriggeredClassifier": "filter/modules/spam/triggeredClassifier",
    "FilterModulesSpamScoresOverall": "filter/modules/spam/scores/overall",
    "FilterModulesSpamScoresEngine": "filter/modules/spam/scores/engine",
    "FilterModulesSpamScoresClassifiers": "filter/modules/spam/scores/classifiers",
    "FilterModulesSpamSafeBlockedListMatches": "filter/modules/spam/safeBlockedListMatches",
    "FilterModulesSpamLangs": "filter/modules/spam/langs",
    "FilterModulesSpamCharsets": "filter/modules/spam/charsets",
    "FilterModulesSpamVersionEngine": "filter/modules/spam/version/engine",
    "FilterModulesSpamVersionDefinitions": "filter/modules/spam/version/definitions",
    "FilterModulesUrldefenseVersionEngine": "filter/modules/urldefense/version/engine",
    "FilterModulesUrldefenseCountsTotal": "filter/modules/urldefense/counts/total",
    "FilterModulesUrldefenseCountsUnique": "filter/modules/urldefense/counts/unique",
    "FilterModulesUrldefenseCountsRewritten": "filter/modules/urldefense/counts/rewritten",
    "FilterModulesUrldefenseCountsNoRewriteIsEmail": "filter/modules/urldefense/counts/noRewriteIsEmail",
    "FilterModulesUrldefenseCountsNoRewriteIsExcludedDomain": (
        "filter/modules/urldefense/counts/noRewriteIsExcludedDomain"
    ),
    "FilterModulesUrldefenseCountsNoRewriteIsLargeMsgPartSize": (
        "filter/modules/urldefense/counts/noRewriteIsLargeMsgPartSize"
    ),
    "FilterModulesUrldefenseCountsNoRewriteIsMaxLengthExceeded": (
        "filter/modules/urldefense/counts/noRewriteIsMaxLengthExceeded"
    ),
    "FilterModulesUrldefenseCountsNoRewriteIsSchemeless": "filter/modules/urldefense/counts/noRewriteIsSchemeless",
    "FilterModulesUrldefenseCountsNoRewriteIsUnsupportedScheme": (
        "filter/modules/urldefense/counts/noRewriteIsUnsupportedScheme"
    ),
    "FilterModulesZerohourScore": "filter/modules/zerohour/score",
    **ORIGIN,
}

MAILLOG = {
    "SmQid": "sm/qid",
    "EventUid": "sm/msgid",
    "SmMsgid": "sm/msgid",
    "SrcUserUpn": "sm/from",
    "DstUserUpn": "sm/to",
    "NetworkBytes": "sm/sizeBytes",
    "SmNrcpts": "sm/nrcpts",
    "SmClass": "sm/class",
    "SmAuth": "sm/auth",
    "SmCtladdr": "sm/ctladdr",
    "SmDsn": "sm/dsn",
    "SmMailer": "sm/mailer",
    "SmPri": "sm/pri",
    "SmXdelay": "sm/xdelay",
    "NetworkDuration": "sm/delay",
    "NetworkConnectionStateDetailed": "sm/stat",
    "NetworkProtocol": "sm/proto",
    "ProcessName": "sm/daemon",
    "SrcNatIpAddr": "sm/relay",
    "TlsVersion": "tls/version",
    "TlsCipher": "tls/cipher",
    **ORIGIN,
}

AUDIT = {
    "AuditAction": "audit/action",
    "AuditLevel": "audit/level",
    "AuditResourceType": "audit/resourceType",
    "AuditResourceName": "audit/resourceName",
    "SrcUserUpn": "audit/user/email",
    "AuditUserId": "audit/user/id",
    "SrcIpAddr": "audit/user/ipAddress",
    "MetadataOriginDataCid": "metadata/origin/data/cid",
    "MetadataOriginDataAgent": "metadata/origin/data/agent",
    "MetadataOriginDataVersion": "metadata/origin/data/version",
}


def of(event_type, event):
    """The expected columns. A missing value is None."""
    paths = {"message": MESSAGE, "maillog": MAILLOG, "audit": AUDIT}[event_type]
    expected = {column: at(event, path) for column, path in paths.items()}
    expected["EventType"] = event_type
    if (time := times.read(event.get("ts"))) is not None:
        expected["EventOriginalTime"] = time
    expected["ClusterId"] = expected["MetadataOriginDataCid"] or expected.get("PpsCid")
    return expected | {"message": _message, "maillog": _maillog, "audit": _audit}[event_type](event)


def at(event, path):
    """The value at a path of keys; None if there is none."""
    for key in path.split("/"):
        event = event.get(key) if isinstance(event, dict) else None
    return event


def _first_value(event, field):
    """The first value of a header field, from the normalized header if it is there."""
    of_header = [at(event, f"msg/{header}/{field}") for header in ("normalizedHeader", "header")]
    return next((values[0] for values in of_header if values), None)


def _message(event):
    actions = at(event, "filter/actions") or []
    final = next((action for action in actions if action.get("isFinal")), {})
    parts = event.get("msgParts")
    if isinstance(parts, dict):
        parts = [parts]
    objects = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    urls = [url["url"] for part in objects for url in part.get("urls") or []]
    expected = {
        "EventName": "Proofpoint Message Log",
        "EventCategory": "Application",
        "EventSubCategory": "Mail",
        "EventOriginalUid": event.get("guid"),
        "Guid": event.get("guid"),
        "MsgParts": parts,
        "Urls": urls,
        "FinalAction": event.get("final_action") or final.get("action"),
        "FinalModule": event.get("final_module") or final.get("module"),
        "FinalRule": event.get("final_rule") or final.get("rule"),
        "QueueId": at(event, "filter/qid"),
        "Subject": _first_value(event, "subject"),
        "Author": _first_value(event, "from"),
        "ReplyTo": _first_value(event, "reply-to"),
        "Sender": at(event, "envelope/from"),
        "SenderIp": at(event, "connection/ip"),
        "Recipients": at(event, "envelope/rcpts"),
        "SpamScore": at(event, "filter/modules/spam/scores/overall"),
        "SpamType": at(event, "filter/modules/spam/triggeredClassifier"),
    }
    for module in ["spf", "dkimv", "dmarc"]:
        derived = [action for action in actions if action.get("module") == module]
        expected[f"Action{module.capitalize()}"] = event.get(f"action_{module}", derived)
    for position in range(5):
        part = parts[position] if isinstance(parts, list) and position < len(parts) else None
        expected[f"LabeledName{position}"] = at(part, "labeledName")
    return expected


def _maillog(event):
    sender = at(event, "sm/from")
    relay = re.search(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]", at(event, "sm/relay") or "")
    recipients = at(event, "sm/to")
    return {
        "EventName": "Proofpoint Mail Log",
        "EventCategory": "Application",
        "EventSubCategory": "Mail",
        "EventOriginalUid": event.get("id"),
        "EventOriginalMessage": event.get("data"),
        "Id": event.get("id"),
        "TlsEstablished": at(event, "tls/verify") or at(event, "sm/tls/verify"),
        "QueueId": at(event, "sm/qid"),
        "Sender": sender and sender.strip("<>"),
        "SenderIp": relay.group(1) if sender and relay else None,
        "Recipients": recipients and [recipient.strip("<>") for recipient in recipients],
    }


def _audit(event):
    return {
        "EventName": "Unknown",
        "EventCategory": "Unknown",
        "EventSubCategory": "Unknown",
        "EventOriginalUid": event.get("guid"),
        "Guid": event.get("guid"),
        "AuditTags": at(event, "audit/tags"),
    }


def differences(event_type, event, row):
    """The columns of a row that differ from the expected values, each with both values."""
    expected = of(event_type, event)
    pairs = {column: (value, row[column]) for column, value in expected.items()}
    return {column: pair for column, pair in pairs.items() if not _same(*pair)}


def _same(expected, actual):
    if expected is None or expected == "":
        return actual in (None, "")
    if isinstance(actual, str) and not isinstance(expected, str):
        actual = json.loads(actual)
    if isinstance(actual, datetime.datetime):
        expected = times.read(expected) if isinstance(expected, str) else expected
        # The second interpreter stores times in fractions of a millisecond.
        return abs(actual - expected) <= datetime.timedelta(microseconds=1)
    if isinstance(actual, (int, float)) and not isinstance(actual, bool):
        return actual == float(expected)
    return actual == expected
