#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| proofpoint_sentinel::fuzz::web_request(data));
