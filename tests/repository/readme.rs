//! README.zh-CN.md says what README.md says: the same commands, pages and kinds, in the same order.

use crate::text_of;

/// The blocks of code of a page, in order: lines that begin with four spaces, and blank lines between them.
pub(crate) fn code_blocks(page: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut is_within = false;
    for line in page.lines() {
        let code = line.strip_prefix("    ");
        match (code, blocks.last_mut()) {
            (Some(code), Some(block)) if is_within => *block += &format!("{code}\n"),
            (Some(code), _) => blocks.push(format!("{code}\n")),
            (None, Some(block)) if is_within && line.is_empty() => *block += "\n",
            _ => {}
        }
        is_within = code.is_some() || (is_within && line.is_empty());
    }
    blocks.iter().map(|block| format!("{}\n", block.trim_end())).collect()
}

/// The addresses of a page's links, in order.
fn links(page: &str) -> Vec<&str> {
    page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

/// The texts between backticks that are written the same in every language: commands, names, paths.
fn names(page: &str) -> Vec<&str> {
    let prose = page.lines().filter(|line| !line.starts_with("    "));
    prose.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn both_readmes_have_the_same_commands_in_the_same_order() {
    let (english, chinese) = (text_of("README.md"), text_of("README.zh-CN.md"));
    let blocks = code_blocks(&english);
    assert!(blocks.len() >= 4, "{blocks:#?}");
    assert_eq!(code_blocks(&chinese), blocks);
}

#[test]
fn both_readmes_lead_to_the_same_pages_and_to_each_other() {
    let (english, chinese) = (text_of("README.md"), text_of("README.zh-CN.md"));
    let (mut english, mut chinese) = (links(&english), links(&chinese));
    assert_eq!((english.remove(0), chinese.remove(0)), ("README.zh-CN.md", "README.md"));
    assert_eq!(chinese, english);
}

/// The Chinese page says one thing more: how answers become Chinese.
#[test]
fn both_readmes_name_the_same_things() {
    let (english, chinese) = (text_of("README.md"), text_of("README.zh-CN.md"));
    let (mut english, mut chinese) = (names(&english), names(&chinese));
    chinese.retain(|name| *name != "language = \"zh-cn\"");
    english.sort_unstable();
    chinese.sort_unstable();
    assert_eq!(chinese, english);
}

/// The glossary of docs/architecture.md: no space between Chinese and Latin letters, and its terms.
#[test]
fn the_chinese_readme_keeps_to_the_glossary() {
    let chinese = text_of("README.zh-CN.md");
    for wrong in ["账户", "帐号", "令牌", "您们", "审批者", "请求人", "账本", "试运行", "离职者"]
    {
        assert!(!chinese.contains(wrong), "{wrong}");
    }
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for line in chinese.lines().filter(|line| !line.starts_with("    ")) {
        let letters: Vec<char> = line.chars().collect();
        for around in letters.windows(3) {
            if let [before, ' ', after] = around {
                let is_between = (is_chinese(*before) && after.is_ascii_alphanumeric())
                    || (before.is_ascii_alphanumeric() && is_chinese(*after));
                assert!(!is_between, "a space between `{before}` and `{after}`: {line}");
            }
        }
    }
}

#[test]
fn blocks_of_code_are_found() {
    let page = "# A\n\n    one\n\n      two\n\ntext\n    three\n";
    assert_eq!(code_blocks(page), ["one\n\n  two\n", "three\n"]);
}
