//! `filter.modules`, `filter.actions` and `filter.quarantine`: the findings of each filter module.

use rand::RngExt;
use rand::rngs::SmallRng;
use serde_json::{Map, Value, json};

use super::correspondents::Threat;
use super::sample::{Direction, Disposition, Mail, pick};

/// The final decision on a mail: disposition, deciding module and rule, quarantine folder.
pub(super) struct Decision {
    pub disposition: &'static str,
    pub module: &'static str,
    pub rule: &'static str,
    pub folder: Option<&'static str>,
}

pub(super) fn decide(mail: &Mail) -> Decision {
    let (disposition, module, rule, folder) = match mail.disposition {
        Disposition::Clean if mail.direction == Direction::Inbound => {
            ("continue", "spam", "notspam", None)
        }
        Disposition::Clean => ("accept", "access", "system", None),
        Disposition::Bulk => ("continue", "spam", "bulk", Some("Bulk")),
        Disposition::Allowed(_) => ("continue", "access", "safelist_recipient", Some("Audit")),
        Disposition::Quarantined(Threat::Spam) => {
            ("discard", "spam", "spam_definite", Some("Quarantine"))
        }
        Disposition::Quarantined(Threat::Adult) => ("discard", "spam", "adult", Some("Adult")),
        Disposition::Quarantined(Threat::Phish) => ("discard", "spam", "phish", Some("Phish")),
        Disposition::Quarantined(Threat::Impostor) => {
            ("discard", "spam", "impostor", Some("Impostor"))
        }
        Disposition::Quarantined(Threat::Malware) => ("discard", "av", "virus", Some("Malware")),
        Disposition::Rejected => ("reject", "pdr", "reject", None),
        Disposition::Deferred => ("retry", "access", "greylist", None),
        Disposition::DataLoss => ("discard", "dlp", "payment_cards", Some("DLP Review")),
        Disposition::Encrypted => ("accept", "encryption", "subject_keyword", None),
    };
    Decision { disposition, module, rule, folder }
}

/// The actions of the modules in their order. The final one comes last and is marked as final.
pub(super) fn actions(mail: &Mail, decision: &Decision) -> Value {
    let step = |module: &str, rule: &str, action: &str| json!({"action": action, "module": module, "rule": rule});
    let mut steps = Vec::new();
    if mail.direction == Direction::Inbound && mail.disposition.is_queued() {
        let spf = if mail.signs { "pass" } else { "none" };
        steps.push(step("pdr", "pass", "continue"));
        steps.push(step("spf", spf, "continue"));
        steps.push(step("dkimv", if mail.signs { "pass" } else { "nosignature" }, "continue"));
        steps.push(step("dmarc", spf, "continue"));
        if decision.module != "av" {
            steps.push(step("av", "clean", "continue"));
        }
        steps.push(step(decision.module, decision.rule, "add-header"));
    }
    if decision.folder.is_some() {
        steps.push(step(decision.module, decision.rule, "quarantine"));
    }
    let mut last = step(decision.module, decision.rule, decision.disposition);
    last["isFinal"] = json!(true);
    steps.push(last);
    Value::Array(steps)
}

pub(super) fn quarantine(mail: &Mail, decision: &Decision) -> Option<Value> {
    let folder = decision.folder?;
    let rule = decision.rule;
    Some(if mail.agent.is_old {
        json!({"folder": folder, "rule": rule})
    } else {
        json!({
            "folder": folder, "rule": rule, "module": decision.module, "type": "rule",
            "folderId": folder.to_lowercase().replace(' ', "_"),
        })
    })
}

/// Modules that check senders look only at inbound mail.
pub(super) fn modules(mail: &Mail, rng: &mut SmallRng) -> Option<Value> {
    let mut modules = Map::new();
    if mail.direction == Direction::Inbound {
        modules.insert("pdr".into(), reputation(mail, rng));
        if mail.disposition.is_queued() {
            authentication(&mut modules, mail);
            modules.insert("spam".into(), spam(mail, rng));
            modules.insert("urldefense".into(), url_defense(rng));
        }
    }
    if matches!(mail.disposition, Disposition::Quarantined(Threat::Malware)) {
        let virus = pick(&["Win32/Emotet.Gen", "JS/Nemucod", "VBS/Agent.QK"], rng);
        modules.insert("av".into(), json!({"virusNames": [virus]}));
        modules.insert("zerohour".into(), json!({"score": "2"}));
        if rng.random_ratio(1, 8) {
            modules.insert("sandbox".into(), json!({"errorStatus": "timeout"}));
        }
    }
    (!modules.is_empty()).then_some(Value::Object(modules))
}

fn reputation(mail: &Mail, rng: &mut SmallRng) -> Value {
    let response = if mail.disposition == Disposition::Rejected { "reject" } else { "pass" };
    let mut reputation = json!({"v2": {"response": response, "rscore": rng.random_range(0..1000)}});
    if mail.agent.is_old {
        reputation["v1"] = json!({"rscore": 100, "spamscore": 3, "virusscore": 0});
    }
    reputation
}

fn authentication(modules: &mut Map<String, Value>, mail: &Mail) {
    let domain = mail.from.domain();
    let (spf, dmarc) = if mail.signs { ("pass", "pass") } else { ("softfail", "fail") };
    modules.insert("spf".into(), json!({"domain": domain, "result": spf}));
    let mut results = vec![json!({
        "method": "spf", "result": spf, "reason": "",
        "emailIdentities": {"smtp.mailfrom": mail.from.address, "smtp.helo": mail.peer.helo},
    })];
    let mut alignment = vec![aligned("spf", domain)];
    if mail.signs {
        let selector = "s2026";
        modules.insert(
            "dkimv".into(),
            json!([{"domain": domain, "selector": selector, "result": "pass"}]),
        );
        results.push(json!({
            "method": "dkim", "result": "pass", "reason": "",
            "propspec": {"header.d": domain, "header.s": selector},
        }));
        alignment.push(aligned("dkim", domain));
    }
    results.push(json!({
        "method": "dmarc", "result": dmarc, "reason": "", "emailIdentities": {"header.from": domain},
    }));
    let mut verdict = json!({
        "filterdResult": dmarc,
        "srvid": mail.agent.host,
        "authResults": results,
        "alignment": [{"fromDomain": domain, "results": alignment}],
    });
    if !mail.signs {
        verdict["records"] =
            json!([{"query": format!("_dmarc.{domain}"), "record": "", "error": "NXDOMAIN"}]);
    }
    if mail.agent.is_old {
        verdict["authResults"][0]["emailIdentities"]["smtp.mailfromHashed"] =
            json!(mail.from.hashed());
    }
    modules.insert("dmarc".into(), verdict);
}

fn aligned(method: &str, domain: &str) -> Value {
    json!({"method": method, "result": "strict", "identity": domain, "identityOrg": domain})
}

fn spam(mail: &Mail, rng: &mut SmallRng) -> Value {
    let threat = match mail.disposition {
        Disposition::Quarantined(threat) | Disposition::Allowed(threat) => Some(threat),
        _ => None,
    };
    let mut low = || rng.random_range(0..20);
    let mut classifiers = json!({
        "adult": low(), "bulk": low(), "impostor": low(), "lowpriority": low(), "malware": low(),
        "mlx": low(), "mlxlog": -low() * 50, "phish": low(), "spam": low(), "suspect": low(),
    });
    let triggered = match (threat, mail.disposition) {
        (Some(Threat::Spam), _) => Some("spam"),
        (Some(Threat::Adult), _) => Some("adult"),
        (Some(Threat::Phish), _) => Some("phish"),
        (Some(Threat::Impostor), _) => Some("impostor"),
        (Some(Threat::Malware), _) => Some("malware"),
        (None, Disposition::Bulk) => Some("bulk"),
        (None, _) => None,
    };
    if let Some(name) = triggered {
        classifiers[name] = json!(rng.random_range(81..=100));
    }
    let overall = match (threat, triggered) {
        (Some(_), _) => 100,
        (None, Some(_)) => rng.random_range(40..60),
        (None, None) => rng.random_range(0..15),
    };
    let mut spam = json!({
        "langs": [pick(&["en", "de", "fr", "ja", "und"], rng)],
        "charsets": ["utf-8"],
        "scores": {"overall": overall, "engine": overall, "classifiers": classifiers},
        "version": {"definitions": "main-2611200000", "engine": "8.21.0-2610070000"},
    });
    if let Some(name) = triggered {
        spam["triggeredClassifier"] = json!(name);
    }
    spam
}

fn url_defense(rng: &mut SmallRng) -> Value {
    let total = rng.random_range(0..6);
    let rewritten = rng.random_range(0..=total);
    let mut found = json!({
        "version": {"engine": "15"},
        "counts": {"total": total, "unique": total.min(4), "rewritten": rewritten},
    });
    if rewritten < total {
        found["counts"]["noRewriteIsExcludedDomain"] = json!(total - rewritten);
    }
    if rewritten > 4 {
        found["rewrittenUrls"] = json!(["https://www.dailybrief.example/track/7f"]);
    }
    found
}
