//! Scripts of mock markets: shocks that strike something, that are few, and that come late enough.

use dengmi_core::{Decimal, Slug};

use crate::codes::{self, Code};
use crate::content::{Content, Item};
use crate::diagnostic::{Said, say};
use crate::model::market::{ONE_Q16, Price};
use crate::model::scenario::{Effect, Move, Shock, ShockKind};
use crate::model::{Market, Scenario};
use crate::source::Report;

use super::markets::{known_assets, real_names};

/// Days a course has.
const DAYS: std::ops::RangeInclusive<u8> = 7..=14;

/// A fall of all shares in a day from which it is a crash, in percent.
const CRASH_PERCENT: i64 = -5;

/// Longest part of a shock, in market days.
const MOVE_DAYS_MAX: u8 = 30;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for scenario in content.scenarios.iter() {
        Check { content, item: scenario, scenario: &scenario.value, report }.all();
    }
}

struct Check<'c, 'a, 'r> {
    content: &'c Content<'a>,
    item: &'c Item<Scenario>,
    scenario: &'c Scenario,
    report: &'r mut Report,
}

impl Check<'_, '_, '_> {
    fn error(&mut self, code: Code, path: &str, message: Said, help: Said) {
        let at = self.content.at(&self.item.place, path);
        self.report.error(code, at, message, help);
    }

    fn all(&mut self) {
        let Scenario { days, shocks, .. } = self.scenario;
        if !DAYS.contains(days) {
            let (least, most) = (DAYS.start(), DAYS.end());
            let message = say!("剧本有 {days} 天", "a script for {days} days");
            let help = say!("课程有 {least} 到 {most} 天", "courses have {least} to {most} days");
            self.error(codes::SCENARIO_DAYS, "days", message, help);
        }
        let title = [("title".to_owned(), &self.scenario.title)];
        let texts = shocks.iter().enumerate().flat_map(|(index, shock)| {
            let path = |field: &str| format!("shocks.{index}.{field}");
            [(path("news"), &shock.news), (path("debrief"), &shock.debrief)]
        });
        let texts = title.into_iter().chain(texts);
        real_names(self.content, &self.item.place, texts, self.report);
        let market = self.content.market(&self.scenario.market).map(|item| &item.value);
        for (index, shock) in shocks.iter().enumerate() {
            let path = format!("shocks.{index}");
            self.timing(index, shock, &path);
            self.kind(shock, market, &path);
        }
        self.limits();
    }

    fn timing(&mut self, index: usize, shock: &Shock, path: &str) {
        let Scenario { days, shocks, .. } = self.scenario;
        let day = shock.day;
        let id = &shock.id;
        if shocks[..index].iter().any(|earlier| earlier.id == *id) {
            let message = say!("冲击 `{id}` 有两个", "there are two shocks `{id}`");
            let help = say!("给其中一个换 id", "give one of them another id");
            self.error(codes::SHOCK_TWICE, &format!("{path}.id"), message, help);
        }
        let at_day = format!("{path}.day");
        if day == 0 || day > *days {
            let message =
                say!("第 {day} 天不在 {days} 天之内", "day {day} is not within {days} days");
            let help = say!("请写 1 到 {days}", "write 1 to {days}");
            self.error(codes::SHOCK_DAY, &at_day, message, help);
        } else if index > 0 && day < shocks[index - 1].day {
            let message = say!("冲击没有按天排列", "the shocks are not in order of days");
            let help = say!("先发生的写在前面", "what comes first stands first");
            self.error(codes::SHOCK_DAY, &at_day, message, help);
        } else if shock.kind != ShockKind::Quiet && u16::from(day) * 3 <= u16::from(*days) {
            let message = say!(
                "第 {day} 天在课程的前三分之一",
                "day {day} lies in the first third of the course"
            );
            let first = days / 3 + 1;
            let help = say!("最早第 {first} 天", "day {first} at the earliest");
            self.error(codes::SHOCK_EARLY, &at_day, message, help);
        }
        for (part, step) in shock.moves().iter().enumerate() {
            // A rebound may fall on the day after the last: nobody sees it, nothing is wrong.
            if u16::from(day) + u16::from(step.after) > u16::from(*days) + 1 {
                let message = say!(
                    "这一步在课程结束之后才开始",
                    "this part begins after the course has ended"
                );
                let help =
                    say!("把冲击提前，或减小 `after`", "move the shock forward, or lower `after`");
                self.error(codes::SHOCK_DAY, &format!("{path}.kind.{part}.after"), message, help);
            }
        }
    }

    fn kind(&mut self, shock: &Shock, market: Option<&Market>, path: &str) {
        match &shock.kind {
            ShockKind::Price(moves) => {
                if moves.is_empty() {
                    let message = say!("价格冲击什么也没做", "a price shock that does nothing");
                    let help = say!(
                        "写上效果，或写 `kind: Quiet`",
                        "say what it does, or write `kind: Quiet`"
                    );
                    self.error(codes::SHOCK_SIZE, &format!("{path}.kind"), message, help);
                }
                for (part, step) in moves.iter().enumerate() {
                    self.step(step, market, &format!("{path}.kind.{part}"));
                }
            }
            ShockKind::FeeTrap { from, to } => {
                self.asset(market, from, false, &format!("{path}.kind.from"));
                self.asset(market, to, false, &format!("{path}.kind.to"));
                if from == to {
                    let message =
                        say!("从 `{from}` 换到它自己", "a switch from `{from}` to itself");
                    let help = say!("请写两个不同的资产", "name two different assets");
                    self.error(codes::SHOCK_TARGET, &format!("{path}.kind.to"), message, help);
                }
            }
            ShockKind::FraudPitch | ShockKind::Quiet => {}
        }
    }

    fn step(&mut self, step: &Move, market: Option<&Market>, path: &str) {
        if step.chance == 0 || step.chance > ONE_Q16 {
            let message = say!(
                "概率 {chance} 不在 1 到 65536 之间",
                "a chance of {chance} is not between 1 and 65536",
                chance = step.chance
            );
            let help = say!("60% 写作 `39322`", "60% is `39322`");
            self.error(codes::SHOCK_SIZE, &format!("{path}.chance"), message, help);
        }
        if step.days == 0 || step.days > MOVE_DAYS_MAX {
            let message = say!("持续 {days} 天", "it goes on for {days} days", days = step.days);
            let help = say!("请写 1 到 {MOVE_DAYS_MAX}", "write 1 to {MOVE_DAYS_MAX}");
            self.error(codes::SHOCK_SIZE, &format!("{path}.days"), message, help);
        }
        let effect = format!("{path}.effect");
        match &step.effect {
            Effect::Equity { percent, to } => self.size(&effect, "percent", *percent, *to, 15),
            Effect::Factor { sd, to, .. } => self.size(&effect, "sd", *sd, *to, 10),
            Effect::Asset { asset, percent, to } => {
                self.asset(market, asset, true, &format!("{effect}.asset"));
                self.size(&effect, "percent", *percent, *to, 30);
            }
            Effect::Rates { bp } => {
                let size = Decimal::from_micros(i64::from(*bp) * 1_000_000).unwrap_or_default();
                self.size(&effect, "bp", size, None, 100);
            }
            Effect::Gate { asset } => {
                self.asset(market, asset, false, &format!("{effect}.asset"));
            }
            Effect::Turbulent => {}
        }
    }

    fn size(&mut self, effect: &str, field: &str, from: Decimal, to: Option<Decimal>, most: i64) {
        let ends = std::iter::once((field, from)).chain(to.map(|to| ("to", to)));
        for (field, size) in ends {
            if size.micros() == 0 || size.micros().unsigned_abs() > most.unsigned_abs() * 1_000_000
            {
                let message =
                    say!("{size} 不是这种冲击的大小", "{size} is no size for a shock of this kind");
                let help = say!(
                    "不为 0，上下最多 {most}；真实市场单日跌幅约 7% 到 8%",
                    "not 0, and at most {most} up or down; real markets have lost 7 to 8 % in a day"
                );
                self.error(codes::SHOCK_SIZE, &format!("{effect}.{field}"), message, help);
            }
        }
    }

    /// The asset is there, and has a net asset value where it is to move.
    fn asset(&mut self, market: Option<&Market>, id: &Slug, moves: bool, path: &str) {
        let Some(market) = market else { return };
        let found = market.asset(id);
        let message = match found {
            None => say!("市场里没有资产 `{id}`", "the market has no asset `{id}`"),
            Some(asset) if moves && !matches!(asset.price, Price::Nav(_)) => {
                say!("`{id}` 没有净值，动不了", "`{id}` has no net asset value that could move")
            }
            Some(_) => return,
        };
        let help = known_assets(market, id);
        self.error(codes::SHOCK_TARGET, path, message, help);
    }

    fn limits(&mut self) {
        let Scenario { days, shocks, .. } = self.scenario;
        let allowed = usize::from(*days) * 2 / 7;
        let prices: Vec<usize> = indexes(shocks, |shock| matches!(shock.kind, ShockKind::Price(_)));
        if let Some(index) = prices.get(allowed) {
            let count = prices.len();
            let message = say!(
                "{days} 天里有 {count} 次价格冲击，最多 {allowed} 次",
                "{count} price shocks in {days} days; {allowed} are allowed"
            );
            let help = say!(
                "请减少：大多数日子什么也不会发生",
                "take some out: on most days nothing happens"
            );
            self.error(codes::PRICE_SHOCKS, &format!("shocks.{index}.kind"), message, help);
        }
        let crashes: Vec<usize> = indexes(shocks, is_crash);
        if let Some(index) = crashes.get(1) {
            let message = say!("股市大跌不止一次", "shares crash more than once");
            let help = say!(
                "一天跌 5% 及以上算大跌，一个剧本最多一次",
                "a fall of 5 % or more in a day is a crash; a script has at most one"
            );
            self.error(codes::CRASHES, &format!("shocks.{index}.kind"), message, help);
        }
    }
}

fn indexes(shocks: &[Shock], wanted: impl Fn(&Shock) -> bool) -> Vec<usize> {
    shocks.iter().enumerate().filter(|(_, shock)| wanted(shock)).map(|(index, _)| index).collect()
}

fn is_crash(shock: &Shock) -> bool {
    shock.moves().iter().any(|step| match &step.effect {
        Effect::Equity { percent, to } => {
            let lowest = to.map_or(*percent, |to| to.min(*percent));
            lowest.micros() <= CRASH_PERCENT * 1_000_000
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests;
