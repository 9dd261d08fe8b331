//! The text of a message in Feishu, and whom it mentions.

use serde::Deserialize;
use serde_json::Value;

use crate::callers::chat::format::truncate;
use crate::callers::chat::mentions;
use crate::request::error::RequestError;
use crate::request::strict::json;
use crate::request::unclear::Unclear;

/// A mention. The text has its key, such as `@_user_1`, in the place of the name.
#[derive(Debug, Deserialize)]
pub(super) struct Mention {
    key: String,
    #[serde(default)]
    name: String,
    id: Option<MentionIds>,
    mentioned_type: Option<String>,
}

#[derive(Debug, Deserialize)]
struct MentionIds {
    open_id: Option<String>,
    user_id: Option<String>,
}

impl Mention {
    /// Whether the bot is mentioned. If its id is not configured, a mention that does not say that it is of a person.
    pub(super) fn is_bot(&self, bot: Option<&str>) -> bool {
        let id = |of: fn(&MentionIds) -> Option<&String>| self.id.as_ref().and_then(of).filter(|id| !id.is_empty());
        match bot {
            Some(bot) => id(|ids| ids.open_id.as_ref()).is_some_and(|id| id == bot),
            // Only people have a `user_id`, which an app sees if it may.
            None => self.mentioned_type.as_deref() != Some("user") && id(|ids| ids.user_id.as_ref()).is_none(),
        }
    }
}

/// Returns the text of a message, with the keys of its mentions.
///
/// # Errors
///
/// [`Unclear::NotText`] if it has none.
pub(super) fn text(message_type: &str, content: &str) -> Result<String, RequestError> {
    #[derive(Deserialize)]
    struct Text {
        text: String,
    }
    match message_type {
        "text" => json(content.as_bytes()).map(|Text { text }| text),
        "post" => Ok(post(&json(content.as_bytes())?).ok_or(Unclear::NotText)?),
        _ => Err(Unclear::NotText.into()),
    }
}

/// Returns the text of a rich message: its title, and its paragraphs as lines. It may be below the key of a language.
fn post(content: &Value) -> Option<String> {
    let post = match content.get("content") {
        Some(_) => content,
        None => content.as_object()?.values().find(|value| value.get("content").is_some())?,
    };
    let title = post.get("title").and_then(Value::as_str).unwrap_or_default();
    let paragraphs = post.get("content")?.as_array()?.iter().map(|paragraph| {
        let elements = paragraph.as_array().map(Vec::as_slice).unwrap_or_default();
        elements.iter().filter_map(element).collect::<String>()
    });
    let lines: Vec<_> = std::iter::once(title.to_owned()).chain(paragraphs).collect();
    lines.iter().any(|line| !line.trim().is_empty()).then(|| lines.join("\n"))
}

fn element(element: &Value) -> Option<&str> {
    match element.get("tag")?.as_str()? {
        "at" => element.get("user_id")?.as_str(),
        "text" | "a" | "md" => element.get("text")?.as_str(),
        _ => None,
    }
}

/// Returns the text without the mention of the bot, wherever it stands, and with the names of other mentions.
pub(super) fn without_bot(text: &str, all: &[Mention], bot: Option<usize>) -> String {
    /// The most characters of a name.
    const LONGEST: usize = 100;

    let names = all.iter().enumerate().map(|(index, mention)| {
        let name = if Some(index) == bot {
            String::new()
        } else {
            format!("@{}", truncate(&mentions::one_word(&mention.name), LONGEST))
        };
        (mention.key.as_str(), name)
    });
    mentions::replace(text, &names.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mention(key: &str, name: &str, user_id: Option<&str>) -> Mention {
        serde_json::from_value(
            json!({"key": key, "name": name, "id": {"open_id": format!("ou_{name}"), "user_id": user_id}}),
        )
        .unwrap()
    }

    fn words(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// C15.
    #[test]
    fn a_mention_of_a_colleague_is_none_of_the_bot() {
        let (bot, colleague) =
            (mention("@_user_1", "offboard", Some("")), mention("@_user_2", "Dana", Some("e33ggbyz")));
        assert!(bot.is_bot(None) && !colleague.is_bot(None));
        let unseen = mention("@_user_2", "Dana", None);
        assert!(unseen.is_bot(None), "nothing tells it from the bot");
        assert!(!unseen.is_bot(Some("ou_offboard")) && bot.is_bot(Some("ou_offboard")));
    }

    /// C17.
    #[test]
    fn the_mention_of_the_bot_is_taken_out_wherever_it_stands() {
        let all = [mention("@_user_1", "offboard", None), mention("@_user_10", "Dana", Some("d"))];
        for (text, read) in [
            ("@_user_1 alice analytics", "alice analytics"),
            ("alice analytics @_user_1", "alice analytics"),
            ("alice @_user_1\u{a0}analytics", "alice analytics"),
            ("@_user_10 analytics", "@Dana analytics"),
            ("@_user_1@_user_10 analytics", "@Dana analytics"),
        ] {
            assert_eq!(words(&without_bot(text, &all, Some(0))), read, "{text}");
        }
    }

    /// C16.
    #[test]
    fn rich_text() {
        let paragraphs = json!([
            [{"tag": "at", "user_id": "@_user_1", "user_name": "offboard"}, {"tag": "text", "text": " alice analytics"}],
            [{"tag": "img", "image_key": "img_1"}, {"tag": "text", "text": "left"}],
        ]);
        for content in
            [json!({"title": "", "content": paragraphs}), json!({"zh_cn": {"title": "", "content": paragraphs}})]
        {
            let read = text("post", &content.to_string()).unwrap();
            assert_eq!(words(&read), "@_user_1 alice analytics left");
        }
        let none = Err(RequestError::CommandUnclear(Unclear::NotText));
        assert_eq!(text("post", r#"{"title":"","content":[[{"tag":"img","image_key":"i"}]]}"#), none);
        assert_eq!(text("image", "{}"), none);
    }
}
