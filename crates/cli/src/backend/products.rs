//! Product pages in the reader's language.

use dengmi_api::backend::{AssetKind, Language, ProductText};
use dengmi_content::Pack;
use dengmi_content::model::product::{OpenWindow, Product, ProductClass, Sheet};
use dengmi_core::{Decimal, Slug};

use super::markets::{percent, redemption, risk, yuan};
use super::texts::{in_language, notices};

fn kind(class: ProductClass) -> AssetKind {
    match class {
        ProductClass::Demand => AssetKind::Demand,
        ProductClass::Term => AssetKind::Term,
        ProductClass::LargeCd => AssetKind::LargeCd,
        ProductClass::MoneyFund => AssetKind::MoneyFund,
        ProductClass::CashManagement => AssetKind::CashManagement,
        ProductClass::Wealth => AssetKind::Wealth,
        ProductClass::BondFund => AssetKind::BondFund,
        ProductClass::MixedFund => AssetKind::MixedFund,
        ProductClass::IndexFund => AssetKind::IndexFund,
        ProductClass::Gold => AssetKind::Gold,
        ProductClass::Overseas => AssetKind::Overseas,
        ProductClass::Pension => AssetKind::Pension,
    }
}

/// A product page.
pub(super) fn product(pack: &Pack, id: &Slug, language: Language) -> Option<ProductText> {
    let id = pack.current(id);
    let page = pack.products.get(id)?;
    Some(ProductText {
        id: id.clone(),
        title: in_language(&page.title, language),
        kind: kind(page.class),
        real: page.sheet == Sheet::Real,
        risk: risk(page.risk()),
        place: in_language(&page.place, language),
        page_version: page.page_version,
        facts: facts(page, language),
        source: page.source.clone(),
        as_of: page.as_of,
        notices: notices(pack, &page.notices, language),
    })
}

/// What a page says, line by line; what it does not state is left out.
fn facts(page: &Product, language: Language) -> Vec<(String, String)> {
    let zh = language == Language::Zh;
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |chinese: &str, english: &str, value: Option<String>| {
        let label = if zh { chinese } else { english };
        facts.extend(value.map(|value| (label.to_owned(), value)));
    };
    let (yuan_unit, days_unit) = if zh { (" 元", " 天") } else { (" yuan", " days") };
    let of_yuan = |number: Decimal| format!("{number}{yuan_unit}");
    let in_percent = |number: Decimal| format!("{number}%");
    let days = |number: u16| format!("{number}{days_unit}");
    fact("风险等级", "Risk level", Some(format!("{:?}", page.risk())));
    fact("起购金额", "Smallest purchase", Some(format!("{}{yuan_unit}", yuan(page.min_fen))));
    if !page.class.is_deposit() {
        fact("截止时间", "Cut-off", Some(page.cutoff.to_string()));
        fact("确认", "Confirmed on", Some(format!("T+{}", page.confirm_days)));
        fact("赎回到账", "Cash arrives on", Some(format!("T+{}", page.cash_days)));
    }
    fact("持有期", "Lock-up", (page.lock_up_days > 0).then(|| days(page.lock_up_days)));
    let open = match page.open {
        OpenWindow::Daily => None,
        OpenWindow::MinimumHolding if zh => Some("每天可买，满持有期可赎回".to_owned()),
        OpenWindow::MinimumHolding => Some("bought daily, redeemed after the lock-up".to_owned()),
        OpenWindow::Periodic { every_days } if zh => Some(format!("每 {every_days} 天开放一次")),
        OpenWindow::Periodic { every_days } => Some(format!("every {every_days} days")),
        OpenWindow::Closed if zh => Some("封闭至到期".to_owned()),
        OpenWindow::Closed => Some("held to maturity".to_owned()),
    };
    fact("开放方式", "Open", open);
    fact("存款利率", "Deposit rate", page.deposit_rate.map(in_percent));
    fact("万份收益", "Yield per 10,000 a day", page.wan_fen_yield.map(of_yuan));
    fact("七日年化", "Seven-day yield", page.seven_day_yield.map(in_percent));
    if let Some(benchmark) = &page.benchmark {
        let range = format!("{}% – {}%", benchmark.low, benchmark.high);
        fact("业绩比较基准", "Performance benchmark", Some(range));
        let basis = benchmark.basis.as_ref().map(|text| in_language(text, language));
        fact("基准怎么来", "What it is worked out from", basis);
    }
    if let Some(past) = &page.performance {
        let told = format!("{}% ({} – {})", past.annualised, past.from, past.to);
        fact("过往业绩（年化）", "Past performance (annualised)", Some(told));
    }
    let changes: Vec<String> = page.nav_changes.iter().map(|change| format!("{change}%")).collect();
    let changes = (!changes.is_empty()).then(|| changes.join(", "));
    fact("近日净值涨跌，最新在前", "Last daily changes, newest first", changes);
    let fees = &page.fees;
    let share = |ppm: dengmi_core::Ppm| (ppm.0 > 0).then(|| format!("{}%", percent(ppm)));
    fact("申购费", "Fee on purchase", share(fees.subscription_ppm));
    fact("管理费（每年）", "Management fee a year", share(fees.management_ppm));
    fact("赎回", "Redemption", redemption(&fees.redemption, language));
    facts
}
