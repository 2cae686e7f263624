use super::*;

#[test]
fn another_second_or_disposition_is_another_event() {
    let key = |at: &str, disposition: Option<&'static str>| {
        let (id, disposition) = ("g".into(), disposition.map(Into::into));
        let event_time = Some(at.parse().unwrap());
        let built = RowMetadata {
            id,
            disposition,
            event_time,
            may_have_surrogates: false,
            oversize: false,
        };
        event_key(&built, true).id
    };
    let (first, second) = ("2026-11-20T06:00:01Z", "2026-11-20T06:00:02Z");
    for disposition in [None, Some(""), Some("retry")] {
        assert_eq!(key("2026-11-20T06:00:01.25Z", disposition), key(first, disposition));
        assert_ne!(key(first, disposition), key(second, disposition));
    }
    assert_ne!(key(first, Some("retry")), key(first, Some("continue")));
    assert_ne!(key(first, Some("")), key(first, None));
}
