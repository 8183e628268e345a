//! The content of the benchmark: one kind of group, one daily check-in that pays a point by a rule
//! with caps, launched as often as there are check-ins to send.

use std::sync::Arc;

use dengmi_content::{CheckOptions, SourceFile, load};
use dengmi_core::Day;
use dengmi_host::Content;

use crate::error::{CliError, Result};

const POINTS: &str = "(schema: 1, fen_per_point: 1, expire_after_months: 12)";

const CHECK_IN: &str = r#"(
    schema: 1,
    title: {"zh-CN": "打卡"},
    approval: (id: "B-1", approver: "合规", valid_to: "2099-12-31"),
    versions: [(
        version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(1),
        caps: [
            (scope: Member, per: Day, points: 1000),
            (scope: Member, per: Run, points: 30),
            (scope: Community, per: Day, points: 100000000),
            (scope: Bank, per: Day, points: 100000000),
        ],
    )],
)"#;

const NOTICES: &str = r#"(
    schema: 1,
    approval: (id: "B-1", approver: "合规", valid_to: "2099-12-31"),
    notices: [(id: "n7", text: {"zh-CN": "投资者教育"})],
)"#;

const GROUP: &str = r#"(
    schema: 1,
    title: {"zh-CN": "群"},
    kind: LongTerm,
    purpose: {"zh-CN": "测量"},
    capacity: 500,
    calendar: (utc_offset_minutes: 480, late_minutes: 120),
    boards: (ties: FirstToReach),
    touch: (private_per_week: 2, mass_per_day: 1, moments_per_day: 3, quiet_from: "21:00", quiet_to: "08:30"),
    notices: ["n7"],
)"#;

const STREAK: &str = r#"(
    schema: 1,
    title: {"zh-CN": "打卡"},
    summary: {"zh-CN": "每天打卡一次"},
    purpose: Education,
    audience: [LongTerm],
    members_max: 1000000,
    budget_fen: 1000000000,
    notices: ["n7"],
    approval: (id: "B-1", approver: "合规", valid_to: "2099-12-31"),
    days: 30,
    kind: CheckInStreak((freezes: (start: 1, every_days: 7, max: 2))),
    board: (ties: FirstToReach),
    rewards: ["check-in"],
)"#;

/// The content, with groups of `capacity`: the check keeps groups to what WeCom allows, and the
/// measured standing is larger.
pub(super) fn content(capacity: u32, today: Day) -> Result<Content> {
    let files: Vec<SourceFile> = [
        ("content/rewards/points.ron", POINTS),
        ("content/rewards/check-in.ron", CHECK_IN),
        ("content/notices/standard.ron", NOTICES),
        ("content/communities/group.ron", GROUP),
        ("quests/streak.ron", STREAK),
    ]
    .map(|(path, text)| SourceFile { path: path.to_owned(), text: text.to_owned() })
    .into();
    let (pack, diagnostics) = load(&files, &CheckOptions { today });
    let mut pack = pack.ok_or_else(|| {
        let faults: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        CliError::internal(anyhow::anyhow!("the benchmark's content: {}", faults.join("; ")))
    })?;
    for community in pack.communities.values_mut() {
        community.capacity = capacity;
    }
    Ok(Content { pack: Arc::new(pack), files, checked: today })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_content_passes_the_checks() {
        let content = super::content(20_000, "2026-11-21".parse().unwrap()).unwrap();
        assert!(content.pack.communities.values().all(|group| group.capacity == 20_000));
        assert_eq!(content.pack.quests.len(), 1);
    }
}
