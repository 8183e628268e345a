//! What `ron` means, in words for operators.

use dengmi_core::Slug;
use ron::error::Error;

use crate::codes::{self, Code};
use crate::diagnostic::{Said, say};
use crate::nearest::{did_you_mean, one_of};

/// Code, message and help for an error; `found` is the text it is about.
pub(super) fn in_words(error: Error, found: &str) -> (Code, Said, Said) {
    let shown = shorten(found);
    let wrong = |zh: &str, en: &str, help: Said| {
        let message = Said::new(
            format!("这里应为{zh}，实际是 `{shown}`"),
            format!("expected {en}, found `{shown}`"),
        );
        (codes::WRONG_VALUE, message, help)
    };
    match error {
        Error::Message(message) => of_type(&message, &shown),
        Error::NoSuchEnumVariant { expected, found, .. } => {
            let message =
                say!("这里没有 `{found}` 这个选项", "there is no `{found}` to choose here");
            let help = did_you_mean(&found, expected.iter().copied()).unwrap_or_else(|| {
                say!("可选：{names}", "known names: {names}", names = one_of(expected))
            });
            (codes::UNKNOWN_NAME, message, help)
        }
        Error::ExpectedString => {
            let help = say!("写成 `\"...\"`", "write it like `\"...\"`");
            wrong("带引号的文字", "a text in quotes", help)
        }
        Error::ExpectedInteger => {
            let help = say!("只写数字，不加引号", "write digits only, without quotes");
            wrong("整数", "a whole number", help)
        }
        Error::ExpectedComma if found.starts_with(|c: char| c.is_ascii_digit()) => {
            let help = say!("只写数字，不带小数点", "write digits only, without a decimal point");
            wrong("整数", "a whole number", help)
        }
        Error::ExpectedComma => {
            let message = say!("`{shown}` 多写了括号", "expected less, found `{shown}`");
            let help =
                say!("这里不带括号，请删去", "this value takes nothing in brackets; remove them");
            (codes::WRONG_VALUE, message, help)
        }
        Error::IntegerOutOfBounds => {
            let message = say!(
                "数字 `{shown}` 超出这个字段的范围",
                "the number `{shown}` is too large or too small for this field"
            );
            let help = say!("请写小一点的数，不能是负数", "write a smaller number, not below zero");
            (codes::WRONG_VALUE, message, help)
        }
        Error::ExpectedBoolean => {
            let help = say!("用小写字母", "write it in small letters");
            wrong(" `true` 或 `false`", "`true` or `false`", help)
        }
        Error::ExpectedMap => wrong("分语言的文字", "text by language", text_by_language()),
        Error::ExpectedArray => {
            let help = say!("外面加上方括号：`[...]`", "put square brackets around it: `[...]`");
            wrong("列表", "a list", help)
        }
        Error::ExpectedIdentifier => {
            let help = say!("去掉名称两边的引号", "remove the quotes around the name");
            wrong("不带引号的名称", "a name without quotes", help)
        }
        Error::ExpectedStructLike => {
            let help =
                say!("在名称后面写值：`名称(...)`", "write the values behind it: `name(...)`");
            wrong("名称加括号里的值", "a name with values in brackets", help)
        }
        Error::ExpectedNamedStructLike(_) => {
            let help = say!(
                "写成 `(字段: 值, ...)`；名称后面写 `Name((...))`",
                "write `(name: value, ...)`; after a name, `Name((...))`"
            );
            wrong("圆括号里的字段", "fields in round brackets", help)
        }
        Error::ExpectedDifferentLength { expected, found } => {
            let message = say!(
                "值的个数不对：应为 {expected}，实际 {found} 个",
                "expected {expected}, found {found}",
                expected = expected.replace("tuple variant ", "")
            );
            let help = say!(
                "要几个就写几个，中间用逗号隔开",
                "write as many values as are wanted, with commas between them"
            );
            (codes::WRONG_VALUE, message, help)
        }
        Error::InvalidValueForType { expected, .. } => {
            let help = say!("请写这种类型的值", "write a value of that kind");
            wrong(&format!(" {expected}"), &expected, help)
        }
        other => {
            let message = say!(
                "`{shown}` 无法读取：{why}",
                "`{shown}` cannot be read: {why}",
                why = lower_first(&other.to_string())
            );
            let help = say!("对照一个正确的文件", "compare it with a file that works");
            (codes::WRONG_VALUE, message, help)
        }
    }
}

/// What the types themselves refuse: ids, texts, decimals, days, times, calendars. `ron` passes
/// their messages on in English.
fn of_type(message: &str, shown: &str) -> (Code, Said, Said) {
    let quoted = message.split('`').nth(1).unwrap_or(shown);
    let begins = |with: &str| message.starts_with(with);
    let text = |zh: String| {
        let en = message.split("; ").next().unwrap_or(message);
        (codes::BAD_TEXT, Said::new(zh, en), text_by_language())
    };
    let value = |zh: &str, help: Said| {
        let end = message.find([';', ':']).unwrap_or(message.len());
        let en = format!("`{shown}` is {}", &message[..end]);
        (codes::WRONG_VALUE, Said::new(format!("`{shown}` {zh}"), en), help)
    };
    if message.contains("is not an id") {
        let (message, help) = bad_id(quoted);
        (codes::BAD_ID, message, help)
    } else if begins("unknown language") {
        text(format!("没有 `{quoted}` 这种语言"))
    } else if begins("the language") {
        text(format!("语言 `{quoted}` 写了两次"))
    } else if begins("the text for") && message.ends_with("is empty") {
        text(format!("`{quoted}` 的文字是空的"))
    } else if begins("the text for") {
        text(format!("缺少 `{quoted}` 的文字"))
    } else if begins("not a decimal number") {
        let help = say!(
            "写数字，最多六位小数，例如 `\"0.34\"`",
            "write digits with at most six decimal places, such as `\"0.34\"`"
        );
        value("不是小数", help)
    } else if begins("not a date") {
        let help = say!("写成 `\"2026-11-21\"`", "write it like `\"2026-11-21\"`");
        value("不是 1970-01-01 到 2199-12-31 之间的日期", help)
    } else if begins("not a time of day") {
        let help = say!(
            "写成 `\"21:00\"`，从 `\"00:00\"` 到 `\"24:00\"`",
            "write it like `\"21:00\"`, from `\"00:00\"` to `\"24:00\"`"
        );
        value("不是时间", help)
    } else if begins("a calendar needs") {
        let message = Said::new("日历的数字超出范围", message);
        let help = say!(
            "`utc_offset_minutes` 为 -840 到 840，`day_start_minutes` 小于 720，`late_minutes` 最多 \
             2880",
            "correct the number that is out of range; China is `(utc_offset_minutes: 480)`"
        );
        (codes::WRONG_VALUE, message, help)
    } else {
        let message = say!("`{shown}` 不符合要求", "`{shown}` is refused: {message}");
        let help = say!("请写这个字段要求的值", "write a value of the kind this field wants");
        (codes::WRONG_VALUE, message, help)
    }
}

/// What is wrong with an id, and how ids look.
pub(crate) fn bad_id(written: &str) -> (Said, Said) {
    let message = say!("`{written}` 不能作为 id", "`{written}` is not an id");
    let help = say!(
        "只用小写字母、数字、`-` 和 `_`，各段用 `/` 连接，最多 {most} 个字符",
        "use lower-case letters, digits, `-` and `_`, segments joined by `/`, at most {most} \
         characters",
        most = Slug::LEN_MAX
    );
    (message, help)
}

fn text_by_language() -> Said {
    say!(
        "例如写 `{{\"zh-CN\": \"灯谜\", \"en\": \"Riddle\"}}`",
        "write for example `{{\"zh-CN\": \"灯谜\", \"en\": \"Riddle\"}}`"
    )
}

fn shorten(found: &str) -> String {
    let line = found.lines().next().unwrap_or("");
    let short: String = line.chars().take(40).collect();
    if short.len() < found.len() { format!("{short}...") } else { short }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
}
