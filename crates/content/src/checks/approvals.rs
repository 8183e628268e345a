//! No unreviewed text reaches a customer (C08).

use crate::codes;
use crate::content::{Content, Place};
use crate::diagnostic::say;
use crate::model::Approval;
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for product in content.products.iter() {
        approval(content, &product.place, &product.value.approval, report);
    }
    for rule in content.rules.iter() {
        approval(content, &rule.place, &rule.value.approval, report);
    }
    for file in &content.notice_files {
        approval(content, &file.place, &file.value.approval, report);
    }
    for lesson in content.lessons.iter() {
        approval(content, &lesson.place, &lesson.value.approval, report);
    }
    for assessment in content.assessments.iter() {
        approval(content, &assessment.place, &assessment.value.approval, report);
    }
    for market in content.markets.iter() {
        approval(content, &market.place, &market.value.approval, report);
    }
    for scenario in content.scenarios.iter() {
        approval(content, &scenario.place, &scenario.value.approval, report);
    }
    for quest in content.all_quests() {
        let given = &quest.value.approval;
        approval(content, &quest.place, given, report);
        let days = i32::from(quest.value.days);
        let last = content.today.plus(days - 1);
        if content.today <= given.valid_to && given.valid_to < last {
            let at = content.at(&quest.place, "approval.valid_to");
            let message = say!(
                "今天开始的话，活动要到 {last} 才结束，晚于审批有效期",
                "started today, the quest would run to {last}, beyond its approval"
            );
            let help =
                say!("上线前先办理审批延期", "have it approved for longer before it is launched");
            report.warning(codes::APPROVAL_SHORT, at, message, help);
        }
    }
}

fn approval(content: &Content<'_>, place: &Place, approval: &Approval, report: &mut Report) {
    for (field, value) in [("id", &approval.id), ("approver", &approval.approver)] {
        if value.trim().is_empty() {
            let at = content.at(place, &format!("approval.{field}"));
            let message = say!("审批信息没有填 {field}", "the approval has no {field}");
            let help = say!(
                "填写登记簿中的审批号和审批岗位",
                "give the number in the register and the role that approved"
            );
            report.error(codes::APPROVAL_EMPTY, at, message, help);
        }
    }
    if approval.valid_to < content.today {
        let at = content.at(place, "approval.valid_to");
        let message = say!(
            "审批已于 {ended} 到期，今天是 {today}",
            "the approval ended on {ended}; today is {today}",
            ended = approval.valid_to,
            today = content.today
        );
        let help = say!("重新送审", "have the text approved again");
        report.error(codes::APPROVAL_EXPIRED, at, message, help);
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    #[test]
    fn approvals_are_complete_and_in_force() {
        for (path, id) in [
            ("content/products/wealth/steady.ron", "HG-1"),
            ("content/rewards/answer.ron", "HG-3"),
            ("content/notices/standard.ron", "HG-4"),
            ("quests/quiz.ron", "HG-5"),
            ("content/markets/demo.ron", "HG-6"),
            ("content/scenarios/week.ron", "HG-7"),
        ] {
            check(path, id, " ", &[(APPROVAL_EMPTY, "\" \"")]);
            check(path, "\"compliance\"", "\"\"", &[(APPROVAL_EMPTY, "\"\"")]);
            check(path, "2027-12-31", "2026-11-20", &[(APPROVAL_EXPIRED, "\"2026-11-20\"")]);
        }
        let quiz = "quests/quiz.ron";
        check(quiz, "2027-12-31", "2026-11-21", &[(APPROVAL_SHORT, "\"2026-11-21\"")]);
        check(quiz, "2027-12-31", "2026-11-27", &[]);
    }
}
