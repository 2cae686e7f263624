use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::row::losses::LossList;

fn reduced(path: &str, value: &Value, limit: usize) -> Option<Value> {
    let text = value.to_string();
    let kept = reduce(path, &text, limit, &mut LossList::default())?;
    assert!(kept.len() <= limit, "{} bytes", kept.len());
    Some(serde_json::from_str(&kept).expect("what is kept is JSON"))
}

#[test]
fn small_members_come_before_long_lists() {
    let value = json!({"a": vec!["x"; 1_000], "b": 1, "c": {"d": true}});
    let kept = reduced("any", &value, 300).unwrap();
    assert_eq!((&kept["b"], &kept["c"]), (&value["b"], &value["c"]));
    assert!(kept["a"].as_array().unwrap().len() > 50);
}

#[test]
fn what_is_essential_comes_before_recipients() {
    let rcpts = vec!["someone@example.com"; 9_000];
    let modules = json!({"spam": {"scores": "x".repeat(40_000)}});
    let actions = json!([{"rule": "y".repeat(15_000), "isFinal": true}]);
    let value = json!({
        "suborgs": {"rcpts": rcpts}, "modules": modules, "delivered": {"rcpts": rcpts},
        "actions": actions, "disposition": "discard",
    });
    let kept = reduced("filter", &value, 64_000).unwrap();
    for key in ["modules", "actions", "disposition"] {
        assert_eq!(kept[key], value[key], "{key}");
    }
    for key in ["suborgs", "delivered"] {
        assert!(kept[key]["rcpts"].as_array().unwrap().len() > 50, "{key}");
    }
}

#[test]
fn lists_keep_their_beginning_and_their_count_is_told() {
    struct Seen(Vec<(String, usize, usize)>);
    impl Losses for Seen {
        fn left_out(&mut self, path: &str) {
            panic!("{path} is left out");
        }
        fn cut(&mut self, path: &str, kept: usize, of: usize) {
            self.0.push((path.to_owned(), kept, of));
        }
    }
    for count in [300, 1_700, 100_000] {
        let rcpts: Vec<String> = (0..count).map(|n| format!("user{n:06}@example.com")).collect();
        let value = json!({"from": "a@b.example", "rcpts": rcpts}).to_string();
        let mut seen = Seen(Vec::new());
        let kept = reduce("envelope", &value, 2_000, &mut seen).unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        let list = kept["rcpts"].as_array().unwrap();
        assert!(list.len() > 60 && list.iter().zip(&rcpts).all(|(one, other)| one == other));
        assert_eq!(seen.0, [("envelope.rcpts".to_owned(), list.len(), count)]);
        assert_eq!(kept["from"], "a@b.example");
    }
}

#[test]
fn a_long_first_element_does_not_hide_the_others() {
    let value = json!(["x".repeat(60_000), "second", "third"]);
    let kept = reduced("msg.header.subject", &value, 1_000).unwrap();
    assert!(kept[0].as_str().unwrap().len() > 900);
    assert_eq!((&kept[1], &kept[2]), (&value[1], &value[2]));
}

#[test]
fn a_text_is_cut_before_a_whole_character_or_escape() {
    for unit in ["ä", r"\u00e4", r"\ud83d\ude00", r"\n", r#"\""#, "x", "😀"] {
        for limit in 48..80 {
            let text = format!("\"{}\"", unit.repeat(200));
            let kept = reduce("t", &text, limit, &mut LossList::default()).unwrap();
            assert!(kept.len() <= limit && kept.len() + unit.len() > limit, "{kept}");
            assert_eq!((kept.len() - 2) % unit.len(), 0, "{kept}");
            assert!(serde_json::from_str::<String>(&kept).is_ok(), "{kept}");
        }
    }
}

#[test]
fn what_can_not_be_shortened_is_left_out() {
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    let number = "1".repeat(70_000);
    for value in [deep.as_str(), &number] {
        assert_eq!(reduce("x", value, 1_000, &mut LossList::default()), None);
    }
}

#[test]
fn the_level_cuts_only_what_is_longest() {
    assert_eq!(level(vec![10, 1_000, 1_000], 210), 100);
    assert_eq!(level(vec![100, 100], 50), 25);
    assert_eq!(level(vec![10, 20], 30), usize::MAX);
}

/// Whether `kept` is `whole` less members, elements and ends of texts.
fn is_part_of(kept: &Value, whole: &Value) -> bool {
    match (kept, whole) {
        (Value::Object(kept), Value::Object(whole)) => kept
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|other| is_part_of(value, other))),
        (Value::Array(kept), Value::Array(whole)) => {
            let mut rest = whole.iter();
            kept.iter().all(|value| rest.any(|other| is_part_of(value, other)))
        }
        (Value::String(kept), Value::String(whole)) => whole.starts_with(kept),
        _ => kept == whole,
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
        (0usize..600).prop_map(|count| "ä\"".repeat(count).into()),
    ];
    leaf.prop_recursive(4, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map("(rcpts|modules|disposition|[a-z\"]{1,5})", inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_kept_is_json_within_the_limit(value in values(), limit in 0usize..3_000) {
        for path in ["filter", "msgParts[]", ""] {
            match reduced(path, &value, limit) {
                Some(kept) if value.to_string().len() <= limit => prop_assert_eq!(kept, value.clone()),
                Some(kept) => prop_assert!(is_part_of(&kept, &value), "{} of {}", kept, value),
                None => prop_assert!(value.to_string().len() > limit),
            }
        }
    }
}
