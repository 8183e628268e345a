//! The frame of a quest: length, size, audience, and education that does not sell (C22).

use crate::codes;
use crate::content::{Content, Item, Kind};
use crate::diagnostic::say;
use crate::model::product::Sheet;
use crate::model::{Purpose, Quest, QuestKind};
use crate::source::Report;

/// Longest quest in days: a leap year.
const DAYS_MAX: u16 = 366;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.all_quests() {
        size(content, quest, report);
        audience(content, quest, report);
    }
    for quest in content.quests.iter() {
        frame(content, quest, report);
        education(content, quest, report);
        share(content, quest, "kind.rounds", report);
    }
    for quest in content.course_quests.iter() {
        share(content, quest, "quiz", report);
    }
}

fn frame(content: &Content<'_>, quest: &Item<Quest>, report: &mut Report) {
    let days = quest.value.days;
    if !(1..=DAYS_MAX).contains(&days) {
        let at = content.at(&quest.place, "days");
        let message = say!("活动天数是 {days}", "a quest of {days} days");
        let help = say!("请写 1 到 {DAYS_MAX}", "write 1 to {DAYS_MAX}");
        report.error(codes::QUEST_DAYS, at, message, help);
    }
    if let Some(depth) = quest.value.referral_depth
        && depth > 1
    {
        let at = content.at(&quest.place, "referral_depth");
        let message = say!(
            "推荐层级是 {depth} 层，涉嫌传销链条（C18）",
            "{depth} levels of referral are a chain (C18)"
        );
        let help = say!("请写 `1`，或删去这个字段", "write `1`, or remove the field");
        report.error(codes::REFERRAL_DEPTH, at, message, help);
    }
}

fn size(content: &Content<'_>, quest: &Item<Quest>, report: &mut Report) {
    if quest.value.members_max == 0 {
        let at = content.at(&quest.place, "members_max");
        let message = say!("人数上限是 0，谁也不能参加", "a quest for nobody");
        let help = say!(
            "请写最多多少人参加，预算按此人数核算",
            "write how many members may take part at most; the budget is checked for them"
        );
        report.error(codes::QUEST_SIZE, at, message, help);
    }
}

fn audience(content: &Content<'_>, quest: &Item<Quest>, report: &mut Report) {
    let audience = &quest.value.audience;
    if audience.is_empty() {
        let at = content.at(&quest.place, "audience");
        let help = say!(
            "写明面向哪类社群，例如 `[InvestorEducation]`",
            "name the kinds of groups, as in `[InvestorEducation]`"
        );
        report.error(
            codes::AUDIENCE,
            at,
            say!("活动没有写明面向哪类社群", "a quest for no kind of group"),
            help,
        );
    }
    // With a community that could not be read, nothing is known about the kinds there are.
    let unknown = content.broken.iter().any(|(kind, _)| *kind == Kind::Community);
    for (index, kind) in audience.iter().enumerate() {
        let at = || content.at(&quest.place, &format!("audience.{index}"));
        if audience[..index].contains(kind) {
            let message = say!("`{kind:?}` 列了两次", "`{kind:?}` is listed twice");
            let help = say!("删去其中一个", "remove one of them");
            report.error(codes::AUDIENCE, at(), message, help);
        } else if !unknown && content.communities.iter().all(|group| group.value.kind != *kind) {
            let message = say!(
                "`content/communities/` 中没有 `{kind:?}` 类社群",
                "no file in `content/communities/` is of kind `{kind:?}`"
            );
            let help = say!("添加一个，或在这里删去这一类", "add one, or remove the kind here");
            report.warning(codes::AUDIENCE_UNKNOWN, at(), message, help);
        }
    }
}

fn education(content: &Content<'_>, quest: &Item<Quest>, report: &mut Report) {
    if quest.value.purpose != Purpose::Education {
        return;
    }
    for (path, question) in content.questions_of(&quest.value) {
        let real =
            content.products_of(&question.value).any(|product| product.value.sheet == Sheet::Real);
        if question.value.purpose == Purpose::Marketing || real {
            let at = content.at(&quest.place, &path);
            let message = say!(
                "投教活动用了营销题 `{question}`",
                "an education quest asks the marketing question `{question}`",
                question = question.id
            );
            let help = say!(
                "换一道题，或把活动写成 `purpose: Marketing`（C22）",
                "use another question, or write `purpose: Marketing` for the quest (C22)"
            );
            report.error(codes::EDUCATION_SELLS, at, message, help);
        }
    }
}

/// At least one question in three has no product in it (domain 6.1, C22).
fn share(content: &Content<'_>, quest: &Item<Quest>, path: &str, report: &mut Report) {
    let QuestKind::QuizSeries(series) = &quest.value.kind else { return };
    let asked: usize = series.rounds.iter().map(|round| round.questions.len()).sum();
    let with = content
        .questions_of(&quest.value)
        .filter(|(_, question)| content.products_of(&question.value).next().is_some())
        .count();
    if with > 0 && (asked - with) * 3 < asked {
        let at = content.at(&quest.place, path);
        let message = say!(
            "{asked} 道题中有 {with} 道涉及产品（C22）",
            "{with} of {asked} questions are about products (C22)"
        );
        let help = say!(
            "每三道题至少有一道不涉及产品",
            "ask at least one question in three that has no product in it"
        );
        report.error(codes::PRODUCT_SHARE, at, message, help);
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const QUIZ: &str = "quests/quiz.ron";
    const STREAK: &str = "quests/streak.ron";

    #[test]
    fn the_frame_is_in_range() {
        check(STREAK, "days: 7", "days: 0", &[(QUEST_DAYS, "0")]);
        check(STREAK, "days: 7,", "days: 367, referral_depth: 1,", &[(QUEST_DAYS, "367")]);
        check(STREAK, "members_max: 100", "members_max: 0", &[(QUEST_SIZE, "0")]);
        check(STREAK, "days: 7,", "days: 7, referral_depth: 2,", &[(REFERRAL_DEPTH, "2")]);
        check(STREAK, "[InvestorEducation, Affinity]", "[]", &[(AUDIENCE, "[]")]);
        check(STREAK, "Affinity]", "InvestorEducation]", &[(AUDIENCE, "InvestorEducation")]);
        check(STREAK, "Affinity]", "Payroll]", &[(AUDIENCE_UNKNOWN, "Payroll")]);
    }

    #[test]
    fn education_does_not_sell() {
        check(QUIZ, "pages/lock-up", "pages/risk", &[(EDUCATION_SELLS, "\"pages/risk\"")]);
        let more = r#""pages/has-lock-up", "pages/lower-end", "pages/short-fee", "pages/risk"]"#;
        check(QUIZ, r#"purpose: Education,"#, "purpose: Marketing,", &[]);
        let files = crate::checks::testing::base_with(&[
            (QUIZ, "purpose: Education", "purpose: Marketing"),
            (QUIZ, r#""pages/has-lock-up"]"#, more),
            (QUIZ, r#"["n1""#, r#"["n1", "n2""#),
            (QUIZ, r#""basics/double", "#, ""),
        ]);
        crate::checks::testing::check_files(&files, &[(PRODUCT_SHARE, "[")]);
    }
}
