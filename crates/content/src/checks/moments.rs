//! Moments challenges keep to what WeChat and the law allow.

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::{Said, say};
use crate::model::quest::{MomentsChallenge, SenderRole};
use crate::model::reward::Trigger;
use crate::model::{Quest, QuestKind};
use crate::source::Report;

/// Longest window for reactions, in hours: a week.
const WINDOW_HOURS_MAX: u16 = 168;

/// Most posts a day and sender (s004).
const POSTS_PER_DAY_MAX: u8 = 3;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.quests.iter() {
        if let QuestKind::MomentsChallenge(moments) = &quest.value.kind {
            forbidden(content, quest, moments, report);
            limits(content, quest, moments, report);
            card(content, quest, moments, report);
            question(content, quest, moments, report);
        }
    }
}

fn forbidden(
    content: &Content<'_>,
    quest: &Item<Quest>,
    moments: &MomentsChallenge,
    report: &mut Report,
) {
    let fields = [
        (
            "require_share",
            moments.require_share.is_some(),
            say!("不得以转发为条件", "reposting may not be a condition"),
        ),
        (
            "min_likes_from_friends",
            moments.min_likes_from_friends.is_some(),
            say!("不得集赞", "likes of friends may not be collected"),
        ),
        (
            "invite_to_unlock",
            moments.invite_to_unlock.is_some(),
            say!("不得以邀请好友为条件", "inviting may not be a condition"),
        ),
        (
            "extra_odds_for_share",
            moments.extra_odds_for_share.is_some(),
            say!("不得以分享提高中奖机会", "sharing may not bring better odds"),
        ),
        (
            "external_link",
            moments.external_link.is_some(),
            say!("有奖励的朋友圈不得带外部链接", "a rewarded post may not link out of WeChat"),
        ),
    ];
    for (field, _, why) in fields.into_iter().filter(|(_, given, _)| *given) {
        let at = content.at(&quest.place, &format!("kind.{field}"));
        let message = Said::new(
            format!("`{field}`：{}（微信外链规范 2.1.2）", why.zh),
            format!("`{field}`: {} (WeChat 2.1.2)", why.en),
        );
        let help = say!("不论取值，删去这个字段", "remove the field, whatever its value");
        report.error(codes::MOMENTS_FORBIDDEN, at, message, help);
    }
    let (zh, en) = match moments.sender_role {
        SenderRole::LicensedStaff => return,
        SenderRole::HiredPoster => ("水军", "hired posters"),
        SenderRole::PersonalAccountBot => ("个人号外挂程序", "programs on personal accounts"),
    };
    let at = content.at(&quest.place, "kind.sender_role");
    let message = Said::new(
        format!("{zh}不得代银行发布内容（C09）"),
        format!("{en} may not send a bank's posts (C09)"),
    );
    let help = say!("请写 `sender_role: LicensedStaff`", "write `sender_role: LicensedStaff`");
    report.error(codes::SENDER_ROLE, at, message, help);
}

fn limits(
    content: &Content<'_>,
    quest: &Item<Quest>,
    moments: &MomentsChallenge,
    report: &mut Report,
) {
    let at = |field: &str| content.at(&quest.place, &format!("kind.{field}"));
    let number = moments.compliance_override.as_deref().unwrap_or("").trim();
    if moments.reward_for_like && number.is_empty() {
        let message =
            say!("奖励点赞，却没有合规豁免", "likes are rewarded without a compliance override");
        let help = say!(
            "在 `compliance_override` 填豁免号，或删去 `reward_for_like`",
            "give the override's number in `compliance_override`, or remove `reward_for_like`"
        );
        report.error(codes::LIKE_OVERRIDE, at("reward_for_like"), message, help);
    }
    let (day, week) = (moments.posts_per_day, moments.posts_per_week);
    if !(1..=POSTS_PER_DAY_MAX).contains(&day) {
        let message = say!(
            "每天发 {day} 条，允许 1 到 {POSTS_PER_DAY_MAX} 条",
            "{day} posts a day; 1 to {POSTS_PER_DAY_MAX} are allowed"
        );
        let help = say!("请写 1、2 或 3", "write 1, 2 or 3");
        report.error(codes::POSTS_PER_DAY, at("posts_per_day"), message, help);
    }
    if u16::from(week) > u16::from(day) * 7 {
        let message = say!(
            "每天 {day} 条，一周到不了 {week} 条",
            "{week} posts a week cannot be reached with {day} a day"
        );
        let help = say!(
            "请写小一点的数，或写 0 表示不另设周上限",
            "write a smaller number, or 0 for no limit of its own"
        );
        report.error(codes::POSTS_PER_DAY, at("posts_per_week"), message, help);
    }
    let hours = moments.window_hours;
    if !(1..=WINDOW_HOURS_MAX).contains(&hours) {
        let message = say!(
            "有效时间是 {hours} 小时，允许 1 到 {WINDOW_HOURS_MAX} 小时",
            "a window of {hours} hours; 1 to {WINDOW_HOURS_MAX} are allowed"
        );
        let help = say!("例如写 24", "write for example 24");
        report.error(codes::WINDOW_HOURS, at("window_hours"), message, help);
    }
}

/// Words that ask for what may not be asked.
const INDUCING: [&str; 8] =
    ["转发", "集赞", "拉人", "助力", "邀请好友", "分享到", "分享给", "repost"];

/// Words that turn the sentence round when they stand shortly before.
const NEGATIONS: [&str; 8] = ["不", "无", "勿", "别", "禁", "no ", "not ", "never "];

fn card(
    content: &Content<'_>,
    quest: &Item<Quest>,
    moments: &MomentsChallenge,
    report: &mut Report,
) {
    for (language, text) in moments.card.iter() {
        let at = || content.at(&quest.place, &format!("kind.card.{language}"));
        if super::phrases::has_link(text) {
            let message = say!(
                "卡片里有链接，有奖励的朋友圈不得带外部链接（微信外链规范 2.1.2）",
                "the card has a link, and rewarded posts may not link out (WeChat 2.1.2)"
            );
            let help = say!("改为写明小程序菜单入口", "name the menu of the mini-program instead");
            report.error(codes::CARD_LINK, at(), message, help);
        }
        if let Some(word) = induces(text) {
            let message = say!(
                "卡片诱导分享（`{word}`），不得给予奖励",
                "the card asks to share (`{word}`), which may not be rewarded"
            );
            let help = say!(
                "只请客户在评论区答题（微信外链规范 2.1.2）",
                "ask for an answer in the comments only (WeChat 2.1.2)"
            );
            report.error(codes::CARD_INDUCES, at(), message, help);
        }
    }
}

/// The inducing word of a text, unless it says not to.
fn induces(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let asks = |at: usize| {
        let before: String =
            text[..at].chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
        !NEGATIONS.iter().any(|negation| before.contains(negation))
    };
    INDUCING.into_iter().find(|word| text.match_indices(word).any(|(at, _)| asks(at)))
}

fn question(
    content: &Content<'_>,
    quest: &Item<Quest>,
    moments: &MomentsChallenge,
    report: &mut Report,
) {
    let rewards = quest.value.rewards.iter().filter_map(|id| content.rule(id));
    let mut versions = rewards.flat_map(|rule| &rule.value.versions);
    if moments.question.is_none() && versions.any(|version| version.on == Trigger::Commented) {
        let at = content.at(&quest.place, "kind");
        let message = say!(
            "奖励评论，朋友圈却没有出题",
            "comments are rewarded, but the post asks no question"
        );
        let help = say!(
            "加上 `question: \"...\"`，凭答案得积分",
            "add `question: \"...\"`, so that a comment earns by its answer"
        );
        report.warning(codes::MOMENTS_NO_QUESTION, at, message, help);
    }
}

#[cfg(test)]
mod tests {
    use super::induces;
    use crate::checks::testing::{base_with, check, check_files};
    use crate::codes::*;

    const MOMENTS: &str = "quests/moments.ron";

    #[test]
    fn what_wechat_forbids_is_refused() {
        for (field, value) in [
            ("require_share", "true"),
            ("min_likes_from_friends", "10"),
            ("invite_to_unlock", "(friends: 3)"),
            ("extra_odds_for_share", "false"),
            ("external_link", "\"x\""),
        ] {
            let with = format!("{field}: {value}, window_hours: 24");
            check(MOMENTS, "window_hours: 24", &with, &[(MOMENTS_FORBIDDEN, value)]);
        }
        for role in ["HiredPoster", "PersonalAccountBot"] {
            check(MOMENTS, "LicensedStaff", role, &[(SENDER_ROLE, role)]);
        }
        let like = "window_hours: 24, reward_for_like: true";
        check(MOMENTS, "window_hours: 24", like, &[(LIKE_OVERRIDE, "true")]);
        let with = "window_hours: 24, reward_for_like: true, compliance_override: \"HG-9\"";
        check(MOMENTS, "window_hours: 24", with, &[]);
    }

    #[test]
    fn posts_and_windows_are_in_range() {
        check(
            MOMENTS,
            "posts_per_day: 1",
            "posts_per_day: 0",
            &[(POSTS_PER_DAY, "0"), (POSTS_PER_DAY, "2")],
        );
        check(MOMENTS, "posts_per_day: 1", "posts_per_day: 4", &[(POSTS_PER_DAY, "4")]);
        check(MOMENTS, "window_hours: 24", "window_hours: 169", &[(WINDOW_HOURS, "169")]);
    }

    #[test]
    fn the_card_neither_links_nor_asks_to_share() {
        let card = "每年涨 6%,几年变成两倍?";
        let linked = "每年涨 6%,几年?见 www.example.com";
        check(MOMENTS, card, linked, &[(CARD_LINK, &format!("\"{linked}\""))]);
        let shared = "转发本条再答题";
        check(MOMENTS, card, shared, &[(CARD_INDUCES, &format!("\"{shared}\""))]);
        for (text, word) in [
            ("无需转发", None),
            ("请勿分享到群外", None),
            ("please do not repost", None),
            ("Repost it!", Some("repost")),
            ("集赞有礼", Some("集赞")),
        ] {
            assert_eq!(induces(text), word, "{text}");
        }
        check_files(
            &base_with(&[
                (MOMENTS, "question: \"basics/double\",", ""),
                ("content/rewards/comment.ron", "AnsweredInComment", "Always"),
            ]),
            &[(MOMENTS_NO_QUESTION, "MomentsChallenge((")],
        );
    }
}
