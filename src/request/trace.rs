//! The trace that a request belongs to: the header `traceparent` (W3C Trace Context,
//! <https://www.w3.org/TR/trace-context/#traceparent-header>).
//!
//! Not supported: versions other than `00`, `tracestate`.

use http::HeaderMap;

use crate::request::headers::header;

const HEADER: &str = "traceparent";

/// Returns the trace id, 32 lowercase hexadecimal digits; `None` if there is no header, more than one, or one that is not valid.
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = header(headers, HEADER).ok()??.split('-');
    let [version, trace, parent, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let is_id = |text: &str, digits| is_hex(text, digits) && text.bytes().any(|digit| digit != b'0');
    let is_valid =
        version == "00" && is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2) && parts.next().is_none();
    is_valid.then_some(trace)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_str(value).unwrap());
        }
        trace_id(&headers).map(str::to_owned)
    }

    #[test]
    fn a_header_as_the_specification_has_it_and_no_other() {
        let valid = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(read(&[&valid]).as_deref(), Some(TRACE));
        assert_eq!(read(&[&valid, &valid]), None);
        for wrong in [
            "",
            "00",
            &valid.replace("00-4", "ff-4"),
            &valid.replace("00-4", "01-4"),
            &valid.replace(TRACE, &"0".repeat(32)),
            &valid.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &valid.replace(TRACE, &TRACE.to_uppercase()),
            &valid.replace("-01", "-1"),
            &valid.replace("-01", "-01-00"),
            &valid.replace("-01", "-0g"),
            &format!("{valid}\u{e9}"),
        ] {
            assert_eq!(read(&[wrong]), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_an_id(value in "00-[0-9a-f]{0,34}-[0-9a-f]{16}-[0-9a-f]{2}|[ -~]{0,60}") {
            if let Some(id) = read(&[&value]) {
                let is_inside = value.get(3..35) == Some(id.as_str());
                prop_assert!(is_hex(&id, 32) && is_inside);
            }
        }
    }
}
