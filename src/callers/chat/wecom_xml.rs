//! The XML of WeCom's apps.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::outcome::language::Localized;
use crate::request::error::RequestError;

const NOT_XML: Localized = Localized {
    en: "it is not an XML document with one `xml` element whose children appear once each",
    zh: "不是仅含一个 `xml` 元素且其子元素各出现一次的XML文档",
};

/// The most elements of a document. WeCom's have about ten.
const MOST_ELEMENTS: usize = 64;

/// The children of an element: names and texts, each name once. Deeper elements are ignored.
pub(super) type Elements = Vec<(String, String)>;

pub(super) fn required<'e>(elements: &'e Elements, name: &'static str) -> Result<&'e str, RequestError> {
    let found = elements.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    found.filter(|text| !text.is_empty()).ok_or(RequestError::FieldMissing { name })
}

/// Reads the XML that WeCom writes, and no more of XML than that: no document type, so no entities but the five predefined ones;
/// no attributes; no processing instructions; nothing after the end.
///
/// # Errors
///
/// [`RequestError::BodyMalformed`] if it is other XML or none, [`RequestError::FieldDoubled`] if a name appears twice.
pub(super) fn xml(text: &[u8]) -> Result<Elements, RequestError> {
    let malformed = || RequestError::BodyMalformed { why: NOT_XML };
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    let mut reader = Reader::from_str(text.trim());
    let mut elements = Elements::new();
    let mut depth = 0_usize;
    let mut closed = false;
    loop {
        let event = reader.read_event().map_err(|_| malformed())?;
        let more = match event {
            Event::Eof if closed => return Ok(elements),
            _ if closed => return Err(malformed()),
            Event::Start(tag) => {
                let name = std::str::from_utf8(tag.name().into_inner()).map_err(|_| malformed())?.to_owned();
                if tag.attributes().next().is_some() || (depth == 0) != (name == "xml") {
                    return Err(malformed());
                }
                if depth == 1 {
                    if elements.len() >= MOST_ELEMENTS {
                        return Err(malformed());
                    }
                    if elements.iter().any(|(known, _)| *known == name) {
                        return Err(RequestError::FieldDoubled { name });
                    }
                    elements.push((name, String::new()));
                }
                depth = depth.saturating_add(1);
                continue;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                closed = depth == 0;
                continue;
            }
            Event::Text(text) => text.decode().map_err(|_| malformed())?.into_owned(),
            Event::CData(text) => text.decode().map_err(|_| malformed())?.into_owned(),
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|_| malformed())?;
                let known = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
                let number = reference.resolve_char_ref().map_err(|_| malformed())?;
                known.or(number.map(String::from)).ok_or_else(malformed)?
            }
            _ => return Err(malformed()),
        };
        match (depth, elements.last_mut()) {
            (2, Some((_, text))) => text.push_str(&more),
            (0 | 1, _) if !more.trim().is_empty() => return Err(malformed()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_of_xml_than_wecom_writes() {
        let read = |text: &str| xml(text.as_bytes());
        let elements = |list: &[(&str, &str)]| -> Result<Elements, RequestError> {
            Ok(list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
        };
        let text = "<xml>\n <A><![CDATA[a<b]]>c</A>\n <B>1 &amp; &#20320;</B><C/><D>x<E>y</E></D><F></F></xml>\n";
        assert!(read(text).is_err(), "an empty-element tag");
        let text = text.replace("<C/>", "");
        assert_eq!(read(&text), elements(&[("A", "a<bc"), ("B", "1 & 你"), ("D", "x"), ("F", "")]));
        assert_eq!(read("<xml><A>1</A><A>2</A></xml>"), Err(RequestError::FieldDoubled { name: "A".into() }));
        for text in [
            "",
            "x",
            "<xml>",
            "<xml></xml><xml></xml>",
            "<xml></xml>x",
            "<xml>x</xml>",
            "<yml></yml>",
            "<xml><A></B></xml>",
            "<xml><A>&x;</A></xml>",
            "<xml><A b='c'></A></xml>",
            "<xml><!-- --></xml>",
            "<?xml version='1.0'?><xml></xml>",
            "<!DOCTYPE xml><xml></xml>",
            "<!DOCTYPE xml [<!ENTITY x 'y'>]><xml><A>&x;</A></xml>",
        ] {
            assert_eq!(read(text), Err(RequestError::BodyMalformed { why: NOT_XML }), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = xml(&body);
        }
    }
}
