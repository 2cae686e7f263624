//! Arrays in an order that differs from call to call.

use std::collections::BTreeSet;

use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use serde_json::value::RawValue;

use crate::json_members::JsonMembers;

/// The members of a record that are arrays in no order.
const ARRAYS: [&str; 2] = ["messageParts", "threatsInfoMap"];

/// The record with its arrays in another order. All other bytes within members are kept. Anything
/// but an object with such arrays is returned as it is.
pub(super) fn reordered(record: &Bytes, rng: &mut SmallRng) -> Bytes {
    let Ok(JsonMembers(members)) = serde_json::from_slice(record) else {
        return record.clone();
    };
    let distinct: BTreeSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    let has_array = ARRAYS.iter().any(|name| distinct.contains(name));
    if !has_array || distinct.len() < members.len() {
        return record.clone();
    }
    let members: Vec<String> = members
        .into_iter()
        .map(|(name, value)| {
            let value = match ARRAYS.contains(&name.as_str()) {
                true => shuffled(value, rng),
                false => value.get().to_owned(),
            };
            format!("{}:{value}", serde_json::Value::from(name))
        })
        .collect();
    Bytes::from(format!("{{{}}}", members.join(",")))
}

/// The array with its elements in another order. Other values as they are.
fn shuffled(value: &RawValue, rng: &mut SmallRng) -> String {
    let Ok(mut elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
        return value.get().to_owned();
    };
    elements.shuffle(rng);
    let elements: Vec<&str> = elements.into_iter().map(RawValue::get).collect();
    format!("[{}]", elements.join(","))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn orders(record: &'static str) -> BTreeSet<Bytes> {
        let record = Bytes::from(record);
        (0..50).map(|seed| reordered(&record, &mut SmallRng::seed_from_u64(seed))).collect()
    }

    #[test]
    fn only_the_order_of_two_arrays_changes() {
        let orders = orders(r#"{"b":1.50,"messageParts":[{"z":0.0,"a":1},2],"a":["x","y"]}"#);
        let expected = [
            r#"{"b":1.50,"messageParts":[2,{"z":0.0,"a":1}],"a":["x","y"]}"#,
            r#"{"b":1.50,"messageParts":[{"z":0.0,"a":1},2],"a":["x","y"]}"#,
        ];
        assert_eq!(orders, expected.map(Bytes::from).into());
    }

    #[test]
    fn anything_else_is_left_as_it_is() {
        for record in [
            "7",
            "{oops",
            r#"{ "url" : "x" }"#,
            r#"{"messageParts": [1,2], "messageParts": [3,4]}"#,
        ] {
            assert_eq!(orders(record), BTreeSet::from([Bytes::from(record)]), "{record}");
        }
        assert_eq!(orders(r#"{"messageParts":null}"#).len(), 1);
    }
}
