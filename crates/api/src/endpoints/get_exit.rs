//! `GET /v1/cohorts/{id}/me/exit`: when the course is over, what was luck and what was process.

use axum::extract::State;
use axum::http::StatusCode;
use dengmi_core::mock::{Exit, Score};
use dengmi_core::{CohortId, Fen};
use serde::Serialize;
use utoipa::ToSchema;

use super::list_news::{News, told};
use crate::app::App;
use crate::backend::{Backend, Language};
use crate::cohort::Own;
use crate::extract::{Admitted, Param};
use crate::mock::{investing, market};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// What became of a mock account, and what would have become of it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExitScreen)]
pub(crate) struct Body {
    /// What members started with, in fen.
    #[schema(value_type = i64)]
    started_with_fen: Fen,
    /// What the account was worth at the end, in fen.
    #[schema(value_type = i64)]
    value_fen: Fen,
    /// The same orders without the script, in fen.
    #[schema(value_type = i64)]
    without_script_fen: Fen,
    /// The first plan, bought on the day of the first order and kept, in fen.
    #[schema(value_type = i64)]
    plan_kept_fen: Fen,
    /// All of it in the demand deposit, in fen.
    #[schema(value_type = i64)]
    in_cash_fen: Fen,
    /// Largest fall from a peak, in parts per million of the peak.
    drawdown_ppm: u32,
    /// Points for what was done, and the most there are.
    process: Process,
    /// What of it was luck, in a sentence.
    luck: String,
    /// What of it the member's own way brought, in a sentence.
    own_way: String,
    /// What was scripted: every shock, and what it teaches.
    scripted: Vec<News>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// Points for what was done.
#[derive(Serialize, ToSchema)]
#[schema(as = ProcessPoints)]
struct Process {
    /// Points for what was done: plan, orders within it, kept course, sheets, notes.
    points: u16,
    /// The most there are.
    of: u16,
}

/// What is given for what was done.
fn process(score: &Score) -> u16 {
    let parts =
        [score.plan_first, score.orders_in_plan, score.kept_course, score.read_sheet, score.notes];
    parts.into_iter().fold(0, u16::saturating_add)
}

/// An amount in yuan, without a sign.
fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

/// What the script did to this account: nobody chose it, so it is luck.
fn luck(exit: &Exit, language: Language) -> String {
    let by = exit.value.0.saturating_sub(exit.without_script.0);
    let amount = yuan(by);
    match (language, by.signum()) {
        (Language::Zh, 0) => "剧本里的事件没有改变你的结果。".to_owned(),
        (Language::Zh, 1) => {
            format!("剧本里的事件让你多了 {amount} 元：这是运气，不是本事。")
        }
        (Language::Zh, _) => {
            format!("剧本里的事件让你少了 {amount} 元：这是运气，不是你的错。")
        }
        (Language::En, 0) => "What was scripted did not change your result.".to_owned(),
        (Language::En, 1) => {
            format!("What was scripted gave you {amount} yuan more: luck, not skill.")
        }
        (Language::En, _) => {
            format!("What was scripted cost you {amount} yuan: luck, not your fault.")
        }
    }
}

/// What the own orders brought against the first plan left alone.
fn own_way(exit: &Exit, points: u16, of: u16, language: Language) -> String {
    let by = exit.value.0.saturating_sub(exit.plan_kept.0);
    let amount = yuan(by);
    match language {
        Language::Zh => {
            let against = match by.signum() {
                0 => "和第一份计划买入后不动一样".to_owned(),
                1 => format!("比第一份计划买入后不动多 {amount} 元"),
                _ => format!("比第一份计划买入后不动少 {amount} 元"),
            };
            format!("你自己的买卖{against}。过程得分 {points} / {of}：看的是怎么做，不是赚多少。")
        }
        Language::En => {
            let against = match by.signum() {
                0 => "came to the same as your first plan left alone".to_owned(),
                1 => format!("brought {amount} yuan more than your first plan left alone"),
                _ => format!("brought {amount} yuan less than your first plan left alone"),
            };
            format!(
                "Your own orders {against}. For how you went about it you have {points} of {of} \
                 points; gains do not count there."
            )
        }
    }
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/exit", operation_id = "getExit", tag = "mock investing",
    summary = "Look back at my mock account",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "What was luck and what was process.", body = Body),
        (status = 409, description = "The course is not graded yet, or the member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Body> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let account = mine.mock;
    let exit = account.exit.ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "nothing-graded",
            "还没有可以回顾的结果",
            "the course is not graded yet; come back when it is over",
        )
    })?;
    let rules = investing(backend, view, call.language)?;
    let text = market(backend, view, call.language)?;
    let (points, of) = (process(&account.score), process(&rules.most));
    Ok(Reply::ok(Body {
        started_with_fen: rules.cash,
        value_fen: exit.value,
        without_script_fen: exit.without_script,
        plan_kept_fen: exit.plan_kept,
        in_cash_fen: exit.in_cash,
        drawdown_ppm: exit.drawdown.0,
        process: Process { points, of },
        luck: luck(&exit, call.language),
        own_way: own_way(&exit, points, of, call.language),
        scripted: told(view, text.news, &account.reported),
        notices: notices(text.notices),
    }))
}

#[cfg(test)]
mod tests {
    use dengmi_core::Ppm;

    use super::*;

    #[test]
    fn luck_and_own_way_are_told_apart() {
        let exit = |value, without, kept| Exit {
            value: Fen(value),
            without_script: Fen(without),
            plan_kept: Fen(kept),
            in_cash: Fen(0),
            drawdown: Ppm(0),
        };
        let zh = Language::Zh;
        assert!(luck(&exit(10_005, 10_000, 0), zh).contains("多了 0.05 元"));
        assert!(luck(&exit(0, 123_456, 0), zh).contains("少了 1234.56 元"));
        assert!(luck(&exit(7, 7, 0), Language::En).contains("did not change"));
        let told = own_way(&exit(0, 0, 100), 120, 400, zh);
        assert!(told.contains("少 1.00 元") && told.contains("120 / 400"), "{told}");
        let told = own_way(&exit(100, 0, 0), 120, 400, Language::En);
        assert!(told.contains("1.00 yuan more") && told.contains("120 of 400"), "{told}");
        // Nothing overflows.
        luck(&exit(i64::MAX, i64::MIN, 0), zh);
    }
}
