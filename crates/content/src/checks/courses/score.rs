//! A score of 1,000 that adds up, and a graduation that can be reached.

use dengmi_core::Ppm;

use super::Check;
use crate::codes;
use crate::content::Kind;
use crate::diagnostic::{Said, say};
use crate::model::Purpose;
use crate::model::community::CommunityKind;

/// The whole score.
const SCORE: u32 = 1_000;

impl Check<'_, '_, '_> {
    pub(super) fn score(&mut self) {
        self.parts();
        self.bands();
        self.limits();
        self.graduation();
        self.migration();
    }

    fn parts(&mut self) {
        let score = &self.course.value.score;
        let process = &score.process;
        let portfolio = &score.portfolio;
        let parts = [
            process.plan_first,
            process.orders_in_plan,
            process.kept_course,
            process.read_sheet,
            process.notes,
            score.knowledge,
            portfolio.diversification,
            portfolio.fit,
            portfolio.costs,
            score.outcome.middle,
            score.outcome.middle,
        ];
        let sum: u32 = parts.into_iter().map(u32::from).sum();
        if sum != SCORE {
            let message = say!("各项加起来是 {sum} 分", "the parts add up to {sum}");
            let help = say!(
                "过程、知识、组合三部分加上 `outcome.middle` 的两倍应为 {SCORE}",
                "process, knowledge, portfolio and twice `outcome.middle` are {SCORE} together"
            );
            self.report.error(codes::SCORE_SUM, self.at("score"), message, help);
        }
    }

    fn bands(&mut self) {
        let bands = &self.course.value.score.bands;
        let help = || {
            say!(
                "第一档从 0 开始，往后一档比一档高，不超过 {SCORE}",
                "the first begins at 0, each at more than the one before, none beyond {SCORE}"
            )
        };
        if bands.is_empty() {
            let message = say!("没有分档", "there are no bands");
            self.report.error(codes::BANDS, self.at("score.bands"), message, help());
        }
        for (index, band) in bands.iter().enumerate() {
            let from = band.from;
            let good = match index.checked_sub(1) {
                None => from == 0,
                Some(before) => bands[before].from < from && u32::from(from) <= SCORE,
            };
            if !good {
                let message = say!("这一档从 {from} 分开始", "this band begins at {from}");
                let at = self.at(&format!("score.bands.{index}.from"));
                self.report.error(codes::BANDS, at, message, help());
            }
        }
    }

    fn limits(&mut self) {
        let limits = &self.course.value.score.penalties.drawdown_limits;
        let rising = limits.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || limits[0] == Ppm(0) || limits[4] > Ppm::ONE {
            let message =
                say!("C1 到 C5 的回撤上限没有依次升高", "the limits of C1 to C5 do not rise");
            let help = say!(
                "例如 `(10000, 30000, 80000, 150000, 250000)`，即 1% 到 25%",
                "write for example `(10000, 30000, 80000, 150000, 250000)`: 1 % to 25 %"
            );
            let at = self.at("score.penalties.drawdown_limits");
            self.report.error(codes::DRAWDOWN_LIMITS, at, message, help);
        }
    }

    fn graduation(&mut self) {
        let course = &self.course.value;
        let rule = &course.graduation;
        let days = course.days;
        let lessons = self.lessons.values();
        let marketing = lessons.filter(|l| l.value.purpose == Purpose::Marketing).count();
        let teaching = usize::from(days).saturating_sub(marketing);
        for (path, wanted, (zh, en)) in [
            ("graduation.lessons", rule.lessons, ("课", "lessons")),
            ("graduation.quizzes", rule.quizzes, ("次测验", "quizzes")),
        ] {
            let (message, help) = if wanted > days {
                (
                    Said::new(
                        format!("结业要求 {wanted} {zh}，课程只有 {days} 天"),
                        format!("graduation asks for {wanted} {en} of {days} days"),
                    ),
                    say!("最多写 {days}", "write {days} or less"),
                )
            } else if usize::from(wanted) > teaching {
                (
                    Said::new(
                        format!("结业要求 {wanted} {zh}，投教课只有 {teaching} 课（C22）"),
                        format!(
                            "graduation asks for {wanted} {en}, and {teaching} lessons teach (C22)"
                        ),
                    ),
                    say!(
                        "结业不能要求看产品：最多写 {teaching}",
                        "graduation never needs a product visit: write {teaching} or less"
                    ),
                )
            } else {
                continue;
            };
            self.report.error(codes::GRADUATION, self.at(path), message, help);
        }
        let shares = [
            ("graduation.mastery", rule.mastery.0, Ppm::ONE.0),
            ("graduation.score", u32::from(rule.score), SCORE),
        ];
        for (path, wanted, most) in shares {
            if wanted > most {
                let message = say!(
                    "结业要求 {wanted}，最高只有 {most}",
                    "graduation asks for {wanted} of {most}"
                );
                let help = say!("写 {most} 以内的数", "write {most} or less");
                self.report.error(codes::GRADUATION, self.at(path), message, help);
            }
        }
    }

    fn migration(&mut self) {
        let to = &self.course.value.migration.to;
        let help =
            || say!("写 `LongTerm`、`Managed` 或两者", "write `LongTerm`, `Managed` or both");
        if to.is_empty() {
            let message = say!("没有写毕业后去哪类群", "graduates are invited nowhere");
            self.report.error(codes::MIGRATION, self.at("migration.to"), message, help());
        }
        for (index, kind) in to.iter().enumerate() {
            let message = if !stays(kind) {
                say!("`{kind:?}` 不是长期群", "`{kind:?}` is no group to stay in")
            } else if to[..index].contains(kind) {
                say!("`{kind:?}` 列了两次", "`{kind:?}` is listed twice")
            } else {
                continue;
            };
            let at = self.at(&format!("migration.to.{index}"));
            self.report.error(codes::MIGRATION, at, message, help());
        }
        self.destination();
    }

    /// A group of some kind that graduates are invited to can be opened at all.
    fn destination(&mut self) {
        let to = &self.course.value.migration.to;
        // With a community that could not be read, nothing is known about the kinds there are.
        let unread = self.content.broken.iter().any(|(kind, _)| *kind == Kind::Community);
        let mut groups = self.content.communities.iter();
        let there = groups.any(|group| to.contains(&group.value.kind));
        if unread || there || to.is_empty() || !to.iter().all(stays) {
            return;
        }
        let message = say!(
            "`content/communities/` 中没有毕业生要去的社群",
            "no file in `content/communities/` is of a kind that graduates are invited to"
        );
        let help = say!("添加一个长期群的文件", "add a file of a group to stay in");
        self.report.warning(codes::DESTINATION_UNKNOWN, self.at("migration.to"), message, help);
    }
}

/// Whether graduates may stay in groups of a kind.
fn stays(kind: &CommunityKind) -> bool {
    matches!(kind, CommunityKind::LongTerm | CommunityKind::Managed)
}
