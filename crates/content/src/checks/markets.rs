//! Mock markets: numbers a model can have, assets that can be traded, names of nobody.

use dengmi_core::text::fold;
use dengmi_core::{Decimal, Ppm, Slug};

use crate::codes;
use crate::content::{Content, Item, Place};
use crate::diagnostic::{Said, say};
use crate::model::market::{
    Asset, AssetClass, HISTORY_DAYS_MAX, Holding, Jump, ONE_Q16, Price, TradingCalendar,
};
use crate::model::product::{FeeTier, Sheet};
use crate::model::{Market, Product, RiskLevel, Text};
use crate::nearest::did_you_mean;
use crate::source::{At, Report};

/// Fee that funds take from holdings of less than seven days.
const SHORT_HOLDING_PPM: Ppm = Ppm(15_000);

/// No fee is above this; a larger number is a slip of zeros.
const FEE_PPM_MAX: Ppm = Ppm(100_000);

/// No order takes more market days than this.
const SETTLE_DAYS_MAX: u8 = 30;

/// Names of indexes that exist. On generated prices they would be taken for real ones.
const REAL_INDEXES: [&str; 28] = [
    "沪深300",
    "中证500",
    "中证800",
    "中证1000",
    "中证A500",
    "上证指",
    "上证综",
    "上证50",
    "上证180",
    "深证成指",
    "深成指",
    "创业板指",
    "科创50",
    "北证50",
    "恒生指数",
    "恒生科技",
    "纳斯达克",
    "纳指",
    "标普",
    "道琼斯",
    "日经",
    "CSI 300",
    "CSI 500",
    "Hang Seng",
    "Nasdaq",
    "S&P 500",
    "Dow Jones",
    "MSCI",
];

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for market in content.markets.iter() {
        let mut check = Check { content, item: market, market: &market.value, report };
        check.frame();
        check.model();
        check.assets();
        check.targets();
    }
}

/// Names of indexes that exist, in the texts of a market or a scenario.
pub(super) fn real_names<'t>(
    content: &Content<'_>,
    place: &Place,
    texts: impl IntoIterator<Item = (String, &'t Text)>,
    report: &mut Report,
) {
    for (path, text) in texts {
        let folded: Vec<String> = text.iter().map(|(_, text)| fold(text)).collect();
        let named = |name: &&&str| folded.iter().any(|text| text.contains(&fold(name)));
        if let Some(name) = REAL_INDEXES.iter().find(named) {
            let message = say!(
                "行情是程序生成的，不能用真实指数的名称 `{name}`",
                "prices are generated; `{name}` is the name of a real index"
            );
            let help =
                say!("改用虚构名称，例如“示例指数”", "use a made-up name, such as `Sample Index`");
            report.error(codes::REAL_INDEX, content.at(place, &path), message, help);
        }
    }
}

struct Check<'c, 'a, 'r> {
    content: &'c Content<'a>,
    item: &'c Item<Market>,
    market: &'c Market,
    report: &'r mut Report,
}

impl<'c> Check<'c, '_, '_> {
    fn at(&self, path: &str) -> At<'c> {
        self.content.at(&self.item.place, path)
    }

    fn frame(&mut self) {
        let days = self.market.history_days;
        if days > HISTORY_DAYS_MAX {
            let message = say!(
                "历史有 {days} 个交易日，最多 {HISTORY_DAYS_MAX} 个",
                "a history of {days} market days; {HISTORY_DAYS_MAX} are allowed"
            );
            let help = say!("250 个交易日约为一年，够画图了", "250 are a year, enough for charts");
            self.report.error(codes::HISTORY_DAYS, self.at("history_days"), message, help);
        }
        if let TradingCalendar::Real { closed } = &self.market.calendar {
            let weekend = |day: &&dengmi_core::Day| (day.0 + 3).rem_euclid(7) >= 5;
            if let Some(day) = closed.iter().find(weekend) {
                let message =
                    say!("{day} 是周末，本来就休市", "{day} is a weekend, closed in any case");
                let help = say!(
                    "只写周一到周五的休市日，请核对日期",
                    "list only Mondays to Fridays; check the date"
                );
                self.report.error(codes::CLOSED_DAYS, self.at("calendar.closed"), message, help);
            }
        }
        let title = [("title".to_owned(), &self.market.title)];
        let assets = self.market.assets.iter().enumerate();
        let assets = assets.map(|(index, asset)| (format!("assets.{index}.title"), &asset.title));
        real_names(self.content, &self.item.place, title.into_iter().chain(assets), self.report);
    }

    /// A number between two others, in the unit it is written in.
    fn decimal(&mut self, path: &str, value: Decimal, low: i64, high: i64) {
        let millionths = low * 1_000_000..=high * 1_000_000;
        if !millionths.contains(&value.micros()) {
            self.out_of_range(path, &value.to_string(), &low.to_string(), &high.to_string());
        }
    }

    fn whole(&mut self, path: &str, value: i64, low: i64, high: i64) {
        if !(low..=high).contains(&value) {
            self.out_of_range(path, &value.to_string(), &low.to_string(), &high.to_string());
        }
    }

    fn out_of_range(&mut self, path: &str, value: &str, low: &str, high: &str) {
        let message =
            say!("{value} 不在 {low} 到 {high} 之间", "{value} is not between {low} and {high}");
        let help = say!(
            "百分比写 `\"1.5\"`；概率和权重以 65536 为 1",
            "percentages are like `\"1.5\"`; probabilities and weights are of 65536"
        );
        self.report.error(codes::MODEL_RANGE, self.at(path), message, help);
    }

    fn model(&mut self) {
        let model = &self.market.model;
        let one = i64::from(ONE_Q16);
        let equity = &model.equity;
        for (path, value) in [
            ("model.to_turbulent", model.to_turbulent),
            ("model.to_calm", model.to_calm),
            ("model.equity.jump_calm", equity.jump_calm),
            ("model.equity.jump_turbulent", equity.jump_turbulent),
        ] {
            self.whole(path, value.into(), 0, one);
        }
        self.whole("model.bonds_when_turbulent", model.bonds_when_turbulent.into(), 0, 5 * one);
        self.whole("model.rates.memory", model.rates.memory.into(), 0, one - 1);
        self.whole("model.rates.equity", model.rates.equity.into(), -one, one);
        self.whole("model.rates.own", model.rates.own.into(), 0, one);
        self.decimal("model.equity.calm", equity.calm, 0, 100);
        self.decimal("model.equity.turbulent", equity.turbulent, 0, 200);
        self.decimal("model.equity.jump_from", equity.jump_from, 0, 20);
        self.decimal("model.equity.jump_to", equity.jump_to, 0, 20);
        self.decimal("model.equity.down_extra", equity.down_extra, 0, 20);
        for (path, jump) in [
            ("model.rates.jump", model.rates.jump),
            ("model.credit", model.credit),
            ("model.gold", model.gold),
            ("model.overseas", model.overseas),
        ] {
            let Jump { chance, from, to, .. } = jump;
            self.whole(&format!("{path}.chance"), chance.into(), 0, one);
            self.decimal(&format!("{path}.from"), from, 0, 20);
            self.decimal(&format!("{path}.to"), to, 0, 20);
            self.rising(&format!("{path}.to"), from, to);
        }
        self.rising("model.equity.jump_to", equity.jump_from, equity.jump_to);
        self.rising("model.equity.turbulent", equity.calm, equity.turbulent);
    }

    /// The second of two numbers is not below the first.
    fn rising(&mut self, path: &str, low: Decimal, high: Decimal) {
        if high < low {
            let message = say!("{high} 小于另一端 {low}", "{high} is below its lower end {low}");
            let help = say!("对调两个数", "swap the two numbers");
            self.report.error(codes::MODEL_RANGE, self.at(path), message, help);
        }
    }

    fn assets(&mut self) {
        let assets = &self.market.assets;
        if assets.is_empty() {
            let message = say!("市场里没有资产", "the market has no asset");
            let help = say!("至少添加一个", "add at least one");
            self.report.error(codes::ASSETS, self.at("assets"), message, help);
        }
        for (index, asset) in assets.iter().enumerate() {
            if assets[..index].iter().any(|earlier| earlier.id == asset.id) {
                let message =
                    say!("资产 `{id}` 有两个", "there are two assets `{id}`", id = asset.id);
                let help = say!("给其中一个换 id", "give one of them another id");
                let at = self.at(&format!("assets.{index}.id"));
                self.report.error(codes::ASSETS, at, message, help);
            }
            let path = |field: &str| format!("assets.{index}.{field}");
            self.risk(asset, &path);
            self.price(asset, &path);
            self.fees(asset, &path);
            self.trade(asset, &path);
            self.sheet(asset, &path);
        }
    }

    fn risk(&mut self, asset: &Asset, path: &dyn Fn(&str) -> String) {
        use RiskLevel::{R1, R2, R3, R4, R5};
        let (low, high) = match asset.class {
            AssetClass::Demand
            | AssetClass::Term
            | AssetClass::MoneyFund
            | AssetClass::CashManagement => (R1, R1),
            AssetClass::Wealth => (R1, R3),
            AssetClass::BondFund => (R2, R3),
            AssetClass::MixedFund => (R2, R4),
            AssetClass::IndexFund | AssetClass::Gold | AssetClass::Overseas => (R3, R5),
            AssetClass::Share => (R4, R5),
        };
        if !(low..=high).contains(&asset.risk) {
            let message = say!(
                "{class:?} 类资产的风险等级写成了 {risk:?}",
                "an asset of class {class:?} with risk level {risk:?}",
                class = asset.class,
                risk = asset.risk
            );
            let help = say!("应为 {low:?} 到 {high:?}", "it is {low:?} to {high:?}");
            self.report.error(codes::ASSET_RISK, self.at(&path("risk")), message, help);
        }
    }

    fn price(&mut self, asset: &Asset, path: &dyn Fn(&str) -> String) {
        let class = asset.class;
        let (fits, wanted) = match &asset.price {
            _ if class.is_deposit() => (matches!(asset.price, Price::Deposit { .. }), "Deposit"),
            _ if class.is_cash() => (matches!(asset.price, Price::Accrual(_)), "Accrual"),
            price => (matches!(price, Price::Nav(_)), "Nav"),
        };
        if !fits {
            let message = say!(
                "{class:?} 类资产的价格不是这样来的",
                "the price of an asset of class {class:?} does not come about like this"
            );
            let help = say!("请写 `{wanted}(...)`", "write `{wanted}(...)`");
            self.report.error(codes::ASSET_PRICE, self.at(&path("price")), message, help);
            return;
        }
        let path = |field: &str| path(&format!("price.{field}"));
        match &asset.price {
            Price::Deposit { rate } => self.decimal(&path("rate"), *rate, 0, 20),
            Price::Accrual(accrual) => {
                self.decimal(&path("low"), accrual.low, 0, 20);
                self.decimal(&path("high"), accrual.high, 0, 20);
                self.decimal(&path("step"), accrual.step, 0, 1);
                self.rising(&path("start"), accrual.low, accrual.start);
                self.rising(&path("high"), accrual.start, accrual.high);
                let through = i64::from(accrual.pass_through_ppm.0);
                self.whole(&path("pass_through_ppm"), through, 0, 1_000_000);
                self.whole(&path("pass_through_days"), accrual.pass_through_days.into(), 1, 365);
            }
            Price::Nav(nav) => {
                if nav.start.micros() <= 0 {
                    self.out_of_range(&path("start"), &nav.start.to_string(), "0.000001", "10000");
                }
                self.decimal(&path("start"), nav.start, 0, 10_000);
                self.decimal(&path("drift"), nav.drift, -50, 50);
                self.decimal(&path("equity"), nav.equity, -3, 3);
                self.decimal(&path("duration"), nav.duration, 0, 30);
                for (field, value) in [
                    ("rates", nav.rates),
                    ("credit", nav.credit),
                    ("gold", nav.gold),
                    ("overseas", nav.overseas),
                    ("own", nav.own),
                ] {
                    self.decimal(&path(field), value, 0, 100);
                }
                if let Some(limit) = nav.limit {
                    self.decimal(&path("limit"), limit, 1, 50);
                }
            }
        }
    }

    fn fees(&mut self, asset: &Asset, path: &dyn Fn(&str) -> String) {
        let fees = &asset.trade.fees;
        let fault = |check: &mut Self, field: &str, message: Said, help: Said| {
            let at = check.at(&path(&format!("trade.fees.{field}")));
            check.report.error(codes::ASSET_FEES, at, message, help);
        };
        let tiers = fees.redemption.iter().enumerate();
        let tier_path = |index: usize| format!("redemption.{index}.ppm");
        let mut all = vec![("subscription_ppm".to_owned(), fees.subscription_ppm)];
        all.extend(tiers.map(|(index, tier)| (tier_path(index), tier.ppm)));
        for (field, fee) in all.into_iter().filter(|(_, fee)| *fee > FEE_PPM_MAX) {
            let (ppm, percent) = (fee.0, fee.0 / 10_000);
            let message =
                say!("费率 {ppm} ppm 等于 {percent}%", "a fee of {ppm} ppm is {percent}%");
            let help =
                say!("1.5% 写作 `15000`，请数一数零的个数", "1.5% is `15000`; count the zeros");
            fault(self, &field, message, help);
        }
        if fees.discount_ppm > Ppm::ONE {
            let message = say!("折扣大于原价", "the discounted fee is above the full one");
            let help = say!(
                "一折写 `100000`，不打折写 `1000000`",
                "a tenth is `100000`, all of it `1000000`"
            );
            fault(self, "discount_ppm", message, help);
        }
        if let Some(index) = unsorted(&fees.redemption) {
            let message = say!(
                "赎回费各档没有按持有天数排好",
                "the tiers of the redemption fee are not in order"
            );
            let help = say!(
                "持有期从短到长排列，只有最后一档不写 `below_days`",
                "shortest holding first; only the last tier has no `below_days`"
            );
            fault(self, &format!("redemption.{index}"), message, help);
        } else if asset.class.is_priced_fund() && fees.redemption_ppm(6) < SHORT_HOLDING_PPM {
            let message = say!(
                "持有不满 7 天，赎回费低于 1.5%",
                "a holding of less than 7 days pays less than 1.5%"
            );
            let help = say!(
                "货币基金以外的基金至少收 `(below_days: 7, ppm: 15000)`",
                "funds other than money funds take at least `(below_days: 7, ppm: 15000)`"
            );
            let at = self.at(&path("trade.fees.redemption"));
            self.report.warning(codes::ASSET_FEES, at, message, help);
        }
    }

    fn trade(&mut self, asset: &Asset, path: &dyn Fn(&str) -> String) {
        let trade = &asset.trade;
        let term = asset.class == AssetClass::Term;
        let mut faults: Vec<(&str, Said, Said)> = Vec::new();
        if trade.min_fen.0 <= 0 {
            faults.push((
                "trade.min_fen",
                say!("起购金额必须大于 0", "the smallest purchase is not above 0"),
                say!("以分为单位，1 元写 `100`", "write it in fen: 1 yuan is `100`"),
            ));
        }
        for (field, days) in
            [("trade.confirm_days", trade.confirm_days), ("trade.cash_days", trade.cash_days)]
        {
            if days > SETTLE_DAYS_MAX {
                faults.push((
                    field,
                    say!("要等 {days} 个交易日", "it takes {days} market days"),
                    say!("最多 {SETTLE_DAYS_MAX} 个", "at most {SETTLE_DAYS_MAX}"),
                ));
            }
        }
        if trade.redeemable_days < trade.confirm_days {
            faults.push((
                "trade.redeemable_days",
                say!("还没确认就能赎回", "it can be redeemed before it is confirmed"),
                say!("不小于 `confirm_days`", "not below `confirm_days`"),
            ));
        }
        let empty = match trade.holding {
            Holding::Free => false,
            Holding::Minimum { days } | Holding::Closed { days } | Holding::Term { days, .. } => {
                days == 0
            }
            Holding::Periodic { every_days, open_days } => open_days == 0 || open_days > every_days,
        };
        if empty {
            faults.push((
                "trade.holding",
                say!("天数不成立", "these days cannot be"),
                say!(
                    "持有期至少 1 天；开放期不长于周期",
                    "at least one day; a window is not longer than its period"
                ),
            ));
        }
        if matches!(trade.holding, Holding::Term { .. }) != term {
            faults.push((
                "trade.holding",
                say!(
                    "定期存款和 `Term` 只能一起出现",
                    "a term deposit and `Term` go together only"
                ),
                say!(
                    "定期存款写 `Term(days: 90, early: \"0.05\")`",
                    "a term deposit has `Term(days: 90, early: \"0.05\")`"
                ),
            ));
        }
        if trade.daily_limit_fen.is_some_and(|limit| limit < trade.min_fen) {
            faults.push((
                "trade.daily_limit_fen",
                say!("每日限额低于起购金额", "the daily limit is below the smallest purchase"),
                say!("请提高限额", "raise it"),
            ));
        }
        if trade.fast_limit_fen.is_some() && !asset.class.is_cash() {
            faults.push((
                "trade.fast_limit_fen",
                say!(
                    "只有货币基金和现金管理类产品有快速赎回",
                    "only money funds and cash management have a fast redemption"
                ),
                say!("请删去", "remove it"),
            ));
        }
        if trade.share.is_some() != (asset.class == AssetClass::Share) {
            faults.push((
                "trade",
                say!("股票和 `share` 只能一起出现", "a share and `share` go together only"),
                say!("只给股票写 `share`", "write `share` for shares, and only for them"),
            ));
        }
        if trade.share.is_some_and(|share| share.lot == 0) {
            faults.push((
                "trade.share.lot",
                say!("一手是 0 股", "a lot of 0 shares"),
                say!("A 股一手 100 股", "a lot is 100 shares"),
            ));
        }
        for (field, message, help) in faults {
            self.report.error(codes::ASSET_TRADING, self.at(&path(field)), message, help);
        }
    }

    /// The sheet members read says what the market does.
    fn sheet(&mut self, asset: &Asset, path: &dyn Fn(&str) -> String) {
        let Some(id) = &asset.sheet else { return };
        let Some(Item { value: product, .. }) = self.content.product(id) else { return };
        let Some(what) = difference(asset, product) else { return };
        let Said { zh, en } = what;
        let message = Said::new(
            format!("产品页 `{id}` 写的不一样：{zh}"),
            format!("the sheet `{id}` says otherwise: {en}"),
        );
        let help = say!(
            "让两边一致，或换一张教学样例",
            "make both say the same, or name another teaching sheet"
        );
        self.report.error(codes::SHEET_DIFFERS, self.at(&path("sheet")), message, help);
    }

    fn targets(&mut self) {
        let targets = &self.market.targets;
        let mut ids: Vec<(String, &Slug)> = Vec::new();
        let mut ranges: Vec<(String, Decimal, Decimal)> = Vec::new();
        for (i, target) in targets.volatility.iter().enumerate() {
            ids.push((format!("targets.volatility.{i}.asset"), &target.asset));
            let zero = Decimal::default();
            ranges.push((format!("targets.volatility.{i}.percent"), zero, target.percent));
        }
        for (i, target) in targets.ten_days.iter().enumerate() {
            ids.push((format!("targets.ten_days.{i}.asset"), &target.asset));
            ranges.push((format!("targets.ten_days.{i}.p95"), target.p5, target.p95));
        }
        for (i, target) in targets.correlation.iter().enumerate() {
            ids.push((format!("targets.correlation.{i}.a"), &target.a));
            ids.push((format!("targets.correlation.{i}.b"), &target.b));
            ranges.push((format!("targets.correlation.{i}.high"), target.low, target.high));
        }
        for (path, id) in ids {
            let asset = self.market.asset(id);
            if asset.is_none_or(|asset| !matches!(asset.price, Price::Nav(_))) {
                let message = say!(
                    "没有净值型资产 `{id}`",
                    "there is no asset `{id}` with a net asset value"
                );
                self.report.error(
                    codes::MARKET_TARGET,
                    self.at(&path),
                    message,
                    known_assets(self.market, id),
                );
            }
        }
        for (path, low, high) in ranges.into_iter().filter(|(_, low, high)| high <= low) {
            let message = say!("{high} 不大于 {low}", "{high} is not above {low}");
            let help = say!("请写成从小到大的区间", "write a range that rises");
            self.report.error(codes::MARKET_TARGET, self.at(&path), message, help);
        }
    }
}

/// Help for an asset that is not there.
pub(super) fn known_assets(market: &Market, id: &Slug) -> Said {
    let known: Vec<&str> = market.assets.iter().map(|asset| asset.id.as_str()).collect();
    did_you_mean(id.as_str(), known.iter().copied()).unwrap_or_else(|| {
        let names = crate::nearest::one_of(&known);
        say!("市场里有：{names}", "the market has: {names}")
    })
}

/// The first tier that is out of order.
fn unsorted(tiers: &[FeeTier]) -> Option<usize> {
    let last = tiers.len().checked_sub(1)?;
    (0..=last).find(|&index| {
        let before = index.checked_sub(1).and_then(|before| tiers[before].below_days);
        match tiers[index].below_days {
            None => index < last,
            Some(days) => index == last || days <= before.unwrap_or(0),
        }
    })
}

/// The first thing in which an asset and its sheet differ.
fn difference(asset: &Asset, product: &Product) -> Option<Said> {
    let trade = &asset.trade;
    if product.sheet != Sheet::Sample {
        return Some(say!("这是真实产品，不是教学样例", "it is a real product, no teaching sheet"));
    }
    let differ =
        |zh: &str, en: &str, here: &dyn std::fmt::Display, there: &dyn std::fmt::Display| {
            Said::new(
                format!("{zh}这里是 {here}，那里是 {there}"),
                format!("{en} is {here} here and {there} there"),
            )
        };
    let held = match trade.holding {
        Holding::Minimum { days } | Holding::Closed { days } => days,
        Holding::Free | Holding::Periodic { .. } | Holding::Term { .. } => 0,
    };
    let whole = [
        ("风险等级", "the risk level", asset.risk as i64 + 1, product.risk() as i64 + 1),
        ("起购金额（分）", "the smallest purchase in fen", trade.min_fen.0, product.min_fen.0),
        (
            "确认天数",
            "days to confirmation",
            trade.confirm_days.into(),
            product.confirm_days.into(),
        ),
        ("到账天数", "days to cash", trade.cash_days.into(), product.cash_days.into()),
        ("持有天数", "the holding period", held.into(), product.lock_up_days.into()),
    ];
    if let Some((zh, en, here, there)) = whole.into_iter().find(|(_, _, here, there)| here != there)
    {
        return Some(differ(zh, en, &here, &there));
    }
    if let (Price::Deposit { rate }, Some(there)) = (&asset.price, product.deposit_rate)
        && *rate != there
    {
        return Some(differ("利率", "the rate", rate, &there));
    }
    let subscription = product.fees.subscription_ppm;
    let fees = &trade.fees;
    if ![fees.subscription_ppm, fees.charged_ppm()].contains(&subscription) {
        let here = fees.charged_ppm().0;
        return Some(differ("申购费 ppm ", "the subscription fee in ppm", &here, &subscription.0));
    }
    let tiers = fees.redemption.iter().chain(&product.fees.redemption);
    let edges = tiers.filter_map(|tier| tier.below_days);
    let mut days = edges.flat_map(|days| [days.saturating_sub(1), days]);
    let day = days.find(|&day| fees.redemption_ppm(day) != product.redemption_fee(day))?;
    let (here, there) = (fees.redemption_ppm(day).0, product.redemption_fee(day).0);
    Some(Said::new(
        format!("持有 {day} 天的赎回费 ppm 这里是 {here}，那里是 {there}"),
        format!("the redemption fee after {day} days is {here} ppm here and {there} ppm there"),
    ))
}

#[cfg(test)]
mod tests;
