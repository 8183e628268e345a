//! Product pages: who may see them, and figures that are complete, consistent and fresh.

use dengmi_core::Ppm;

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::say;
use crate::model::Product;
use crate::model::product::{Offering, OpenWindow, ProductClass, Sheet};
use crate::source::{At, Report};

/// Days after which the figures of a real product are too old (domain 6.5).
const AGE_DAYS_MAX: i32 = 90;

/// Days a product must have lived before past performance may be shown (C10).
const PERFORMANCE_DAYS_MIN: i32 = 30;

/// Fee that funds take back from holdings of less than seven days.
const SHORT_HOLDING_PPM: Ppm = Ppm(15_000);

/// No fee is above this; a larger number is a slip of zeros.
const FEE_PPM_MAX: Ppm = Ppm(100_000);

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for product in content.products.iter() {
        let mut check = Check { content, item: product, product: &product.value, report };
        check.frame();
        check.dates();
        check.benchmark();
        check.performance();
        check.fees();
        check.trading();
        check.yields();
    }
}

struct Check<'c, 'a, 'r> {
    content: &'c Content<'a>,
    item: &'c Item<Product>,
    product: &'c Product,
    report: &'r mut Report,
}

impl<'c> Check<'c, '_, '_> {
    fn at(&self, path: &str) -> At<'c> {
        self.content.at(&self.item.place, path)
    }

    fn frame(&mut self) {
        if self.product.offering == Offering::Private {
            let message = say!(
                "私募产品不得在群内展示（C05）",
                "a private offering may not be shown in groups (C05)"
            );
            let help = say!(
                "删去该产品，这里只放公募产品",
                "remove the product; only public offerings belong here"
            );
            self.report.error(codes::PRIVATE_OFFERING, self.at("offering"), message, help);
        }
        let currency = &self.product.currency;
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            let message =
                say!("`{currency}` 不是 ISO 4217 币种代码", "`{currency}` is no ISO 4217 code");
            let help =
                say!("请写三个大写字母，例如 `CNY`", "write three capital letters, such as `CNY`");
            self.report.error(codes::CURRENCY, self.at("currency"), message, help);
        }
        if self.product.min_fen.0 <= 0 {
            let message = say!("起购金额必须大于 0", "the smallest purchase is not above 0");
            let help = say!("以分为单位，1 元写 `100`", "write it in fen: 1 yuan is `100`");
            self.report.error(codes::MIN_AMOUNT, self.at("min_fen"), message, help);
        }
        if self.product.page_version == 0 {
            let message = say!("页面版本从 1 开始", "page versions begin at 1");
            let help = say!("请写 1", "write 1");
            self.report.error(codes::ZERO_PAGE_VERSION, self.at("page_version"), message, help);
        }
        if self.product.source.trim().is_empty() {
            let message =
                say!("页面没有写明数据来源", "the page does not say where its figures come from");
            let help = say!(
                "写明产品说明书名称，或注明是教学样例",
                "name the prospectus, or say that it is a teaching sheet"
            );
            self.report.error(codes::NO_SOURCE, self.at("source"), message, help);
        }
    }

    fn dates(&mut self) {
        let (as_of, today) = (self.product.as_of, self.content.today);
        let age = today.0.saturating_sub(as_of.0);
        if age < 0 {
            let message = say!(
                "数据日期是 {as_of}，今天才 {today}",
                "the figures are of {as_of}; today is {today}"
            );
            let help = say!("请写读取数据的日期", "write the day on which they were read");
            self.report.error(codes::AS_OF_FUTURE, self.at("as_of"), message, help);
        } else if self.product.sheet == Sheet::Real && age > AGE_DAYS_MAX {
            let message = say!(
                "数据已有 {age} 天，最长 {AGE_DAYS_MAX} 天",
                "the figures are {age} days old; {AGE_DAYS_MAX} are allowed"
            );
            let help = say!(
                "重新查看产品页，更新数据，并写上当天日期",
                "read the page again, correct the figures and write that day"
            );
            self.report.error(codes::STALE, self.at("as_of"), message, help);
        }
    }

    fn benchmark(&mut self) {
        let Some(benchmark) = &self.product.benchmark else { return };
        if benchmark.basis.is_none() {
            let message = say!(
                "业绩比较基准没有写明测算依据（C10）",
                "the benchmark does not say what it is calculated from (C10)"
            );
            let help =
                say!("加上 `basis: {{\"zh-CN\": \"...\"}}`", "add `basis: {{\"zh-CN\": \"...\"}}`");
            self.report.error(codes::BENCHMARK_BASIS, self.at("benchmark"), message, help);
        }
        if benchmark.high < benchmark.low {
            let message = say!(
                "业绩比较基准下限 {low} 高于上限 {high}",
                "the benchmark goes from {low} down to {high}",
                low = benchmark.low,
                high = benchmark.high
            );
            let help = say!("对调 `low` 和 `high`", "swap `low` and `high`");
            self.report.error(codes::BENCHMARK_RANGE, self.at("benchmark.high"), message, help);
        }
        if benchmark.from > self.content.today {
            let message = say!(
                "业绩比较基准 {from} 才生效",
                "the benchmark is in force from {from} only",
                from = benchmark.from
            );
            let help = say!("生效当日起才能展示", "show it from that day on, not before");
            self.report.error(codes::BENCHMARK_RANGE, self.at("benchmark.from"), message, help);
        }
    }

    fn performance(&mut self) {
        let Some(performance) = &self.product.performance else { return };
        let inception = self.product.inception;
        let lived = self.content.today.0.saturating_sub(inception.0);
        let (field, message, help) = if performance.to <= performance.from {
            (
                "to",
                say!("业绩区间的结束日应晚于开始日", "the interval ends before it begins"),
                say!("对调 `from` 和 `to`", "swap `from` and `to`"),
            )
        } else if performance.from < inception {
            (
                "from",
                say!("业绩区间早于产品成立日", "the interval begins before the product"),
                say!("从成立日 `inception` 开始", "begin with the day of `inception`"),
            )
        } else if performance.to > self.product.as_of {
            (
                "to",
                say!("业绩区间晚于数据日期", "the interval ends after the figures were read"),
                say!("最晚到 `as_of` 为止", "end it with `as_of` at the latest"),
            )
        } else if lived < PERFORMANCE_DAYS_MIN {
            (
                "from",
                say!(
                    "产品成立未满一个月，不得展示过往业绩（C10）",
                    "past performance may not be shown in a product's first month (C10)"
                ),
                say!(
                    "成立满 30 天之前删去 `performance`",
                    "remove `performance` until the product is 30 days old"
                ),
            )
        } else {
            return;
        };
        let at = self.at(&format!("performance.{field}"));
        self.report.error(codes::PERFORMANCE, at, message, help);
    }

    fn fees(&mut self) {
        let fees = &self.product.fees;
        let mut all = vec![
            ("fees.subscription_ppm".to_owned(), fees.subscription_ppm),
            ("fees.management_ppm".to_owned(), fees.management_ppm),
        ];
        let path = |i: usize| format!("fees.redemption.{i}.ppm");
        all.extend(fees.redemption.iter().enumerate().map(|(i, tier)| (path(i), tier.ppm)));
        for (path, fee) in all.into_iter().filter(|(_, fee)| *fee > FEE_PPM_MAX) {
            let percent = fee.0 / 10_000;
            let message = say!(
                "费率 {ppm} ppm 等于 {percent}%",
                "a fee of {ppm} ppm is {percent}%",
                ppm = fee.0
            );
            let help =
                say!("1.5% 写作 `15000`，请数一数零的个数", "1.5% is `15000`; count the zeros");
            self.report.error(codes::FEE_ABOVE_ALL, self.at(&path), message, help);
        }
        let last = fees.redemption.len().saturating_sub(1);
        for (index, tier) in fees.redemption.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| fees.redemption[before]);
            let message = match (tier.below_days, before.and_then(|before| before.below_days)) {
                (None, _) if index < last => say!(
                    "不是最后一档，却没有写 `below_days`",
                    "a tier without `below_days` before the last one"
                ),
                (Some(_), _) if index == last => {
                    say!(
                        "最后一档写了 `below_days`，持有更久的费率就没有了",
                        "the last tier has `below_days`, so longer holdings have no fee stated"
                    )
                }
                (Some(days), Some(earlier)) if days <= earlier => {
                    say!("各档没有按持有天数排列", "the tiers are not in order of days")
                }
                (Some(0), None) => {
                    say!("这一档是持有不足 0 天", "a tier for holdings of fewer than 0 days")
                }
                _ => continue,
            };
            let help = say!(
                "持有期从短到长排列，最后一档不写 `below_days`",
                "shortest holding first; the last tier without `below_days`"
            );
            self.report.error(
                codes::FEE_TIERS,
                self.at(&format!("fees.redemption.{index}")),
                message,
                help,
            );
        }
        let fund = self.product.class.is_fund() && self.product.class != ProductClass::MoneyFund;
        if fund && self.product.redemption_fee(6) < SHORT_HOLDING_PPM {
            let message = say!(
                "持有不满 7 天，赎回费低于 1.5%",
                "a holding of less than 7 days pays less than 1.5%"
            );
            let help = say!(
                "货币基金以外的基金至少收 `(below_days: 7, ppm: 15000)`，请核对招募说明书",
                "funds other than money funds take at least `(below_days: 7, ppm: 15000)`; \
                 check the prospectus"
            );
            let at = self.at("fees.redemption");
            self.report.warning(codes::SHORT_HOLDING_FEE, at, message, help);
        }
    }

    fn trading(&mut self) {
        let days = self.product.lock_up_days;
        let (field, message, help) = match self.product.open {
            OpenWindow::MinimumHolding if days == 0 => (
                "lock_up_days",
                say!("最短持有期是 0 天", "a minimum holding of 0 days"),
                say!("请写天数，或写 `open: Daily`", "write the days, or `open: Daily`"),
            ),
            OpenWindow::Daily if days > 0 => (
                "open",
                say!(
                    "每个交易日开放，却有 {days} 天封闭期",
                    "open every trading day, but locked up for {days} days"
                ),
                say!(
                    "请写 `open: MinimumHolding`，或写 `lock_up_days: 0`",
                    "write `open: MinimumHolding`, or `lock_up_days: 0`"
                ),
            ),
            OpenWindow::Periodic { every_days: 0 } => (
                "open",
                say!("每 0 天开放一次", "a window every 0 days"),
                say!("请写两次开放之间的天数", "write the days from window to window"),
            ),
            _ => return,
        };
        self.report.error(codes::LOCK_UP, self.at(field), message, help);
    }

    fn yields(&mut self) {
        let class = self.product.class;
        let cash = matches!(class, ProductClass::MoneyFund | ProductClass::CashManagement);
        let cases = [
            ("wan_fen_yield", self.product.wan_fen_yield.is_some(), cash),
            ("seven_day_yield", self.product.seven_day_yield.is_some(), cash),
            ("deposit_rate", self.product.deposit_rate.is_some(), class.is_deposit()),
            ("benchmark", self.product.benchmark.is_some(), !class.is_deposit()),
            ("performance", self.product.performance.is_some(), !class.is_deposit()),
        ];
        for (field, _, _) in cases.into_iter().filter(|&(_, given, fits)| given && !fits) {
            let message = say!(
                "`{class:?}` 类产品不应有 `{field}`",
                "`{field}` on a product of class `{class:?}`"
            );
            let help = say!("删去这一项，或更正产品类别", "remove it, or correct the class");
            self.report.warning(codes::YIELD_MISFIT, self.at(field), message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{base_with, check, check_files};
    use crate::codes::*;

    const STEADY: &str = "content/products/wealth/steady.ron";
    const INDEX: &str = "content/products/fund/index.ron";

    #[test]
    fn the_frame_is_complete() {
        check(STEADY, "offering: Public", "offering: Private", &[(PRIVATE_OFFERING, "Private")]);
        check(STEADY, "\"CNY\"", "\"cny\"", &[(CURRENCY, "\"cny\"")]);
        check(STEADY, "min_fen: 10000", "min_fen: 0", &[(MIN_AMOUNT, "0")]);
        check(STEADY, "\"teaching sheet\"", "\" \"", &[(NO_SOURCE, "\" \"")]);
        check_files(
            &base_with(&[
                (INDEX, "page_version: 1", "page_version: 0"),
                (
                    "content/questions/pages.ron",
                    "\"fund/index\", version: 1",
                    "\"fund/index\", version: 0",
                ),
                (
                    "content/questions/pages.ron",
                    "\"fund/index\", version: 1",
                    "\"fund/index\", version: 0",
                ),
            ]),
            &[(ZERO_PAGE_VERSION, "0")],
        );
    }

    #[test]
    fn figures_are_fresh_and_of_the_past() {
        check(
            INDEX,
            "as_of: \"2026-11-01\"",
            "as_of: \"2026-08-22\"",
            &[(STALE, "\"2026-08-22\"")],
        );
        check(INDEX, "as_of: \"2026-11-01\"", "as_of: \"2026-08-23\"", &[]);
        check(STEADY, "as_of: \"2026-11-01\"", "as_of: \"2026-07-01\"", &[]);
        check(
            INDEX,
            "as_of: \"2026-11-01\"",
            "as_of: \"2026-11-22\"",
            &[(AS_OF_FUTURE, "\"2026-11-22\"")],
        );
        let basis = "basis: {\"zh-CN\": \"按组合票息测算\", \"en\": \"From the coupons of the portfolio\"},";
        check(STEADY, basis, "", &[(BENCHMARK_BASIS, "(")]);
        check(STEADY, "high: \"2.6\"", "high: \"1.6\"", &[(BENCHMARK_RANGE, "\"1.6\"")]);
        check(
            STEADY,
            "from: \"2026-01-01\",\n    ),",
            "from: \"2026-12-01\",\n    ),",
            &[(BENCHMARK_RANGE, "\"2026-12-01\"")],
        );
        let interval = "(from: \"2026-01-01\", to: \"2026-06-30\"";
        for (other, underlined) in [
            ("(from: \"2026-06-30\", to: \"2026-01-01\"", "\"2026-01-01\""),
            ("(from: \"2024-01-01\", to: \"2026-06-30\"", "\"2024-01-01\""),
            ("(from: \"2026-01-01\", to: \"2026-11-15\"", "\"2026-11-15\""),
        ] {
            check(STEADY, interval, other, &[(PERFORMANCE, underlined)]);
        }
        check_files(
            &base_with(&[
                (STEADY, "inception: \"2025-06-03\"", "inception: \"2026-10-25\""),
                (STEADY, interval, "(from: \"2026-10-25\", to: \"2026-10-31\""),
            ]),
            &[(PERFORMANCE, "\"2026-10-25\"")],
        );
    }

    #[test]
    fn fees_are_in_order_and_in_reason() {
        check(
            INDEX,
            "(ppm: 0)",
            "(below_days: 7, ppm: 0)",
            &[(FEE_TIERS, "(below_days: 7, ppm: 0)")],
        );
        check(
            INDEX,
            "(ppm: 0)",
            "(below_days: 5, ppm: 0), (ppm: 0)",
            &[(FEE_TIERS, "(below_days: 5, ppm: 0)")],
        );
        check(INDEX, "(ppm: 0)", "(ppm: 0), (ppm: 0)", &[(FEE_TIERS, "(ppm: 0)")]);
        check(
            INDEX,
            "subscription_ppm: 1000,",
            "subscription_ppm: 1000000,",
            &[(FEE_ABOVE_ALL, "1000000")],
        );
        check_files(
            &base_with(&[
                (INDEX, "ppm: 15000", "ppm: 1500"),
                ("content/questions/pages.ron", "expect: \"150\"", "expect: \"15\""),
            ]),
            &[(SHORT_HOLDING_FEE, "[")],
        );
    }

    #[test]
    fn trading_and_yields_fit_the_class() {
        check(STEADY, "MinimumHolding", "Daily", &[(LOCK_UP, "Daily")]);
        check(
            STEADY,
            "MinimumHolding",
            "Periodic(every_days: 0)",
            &[(LOCK_UP, "Periodic(every_days: 0)")],
        );
        check(INDEX, "Daily", "MinimumHolding", &[(LOCK_UP, "0")]);
        check(
            INDEX,
            "inception",
            "seven_day_yield: \"1.2\", inception",
            &[(YIELD_MISFIT, "\"1.2\"")],
        );
        check(INDEX, "inception", "deposit_rate: \"1.2\", inception", &[(YIELD_MISFIT, "\"1.2\"")]);
    }
}
