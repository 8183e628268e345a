//! What separates luck from process at the end: the same account on the path without the script,
//! the first plan bought once and kept, and all of it in cash.

use dengmi_core::mock::{Exit, Side};
use dengmi_core::{Fen, Ppm, Timestamp};

use super::Row;
use super::account::{Account, Moment, Placing};
use super::tape::Tape;

/// What a replayed order is known by.
const PLACING: Placing =
    Placing { at: Timestamp(0), course_day: 0, in_plan: true, sheet_read: true };

pub(super) fn exit(row: &Row, tape: &Tape, cash: Fen) -> Exit {
    let own: Vec<(i32, u8, Side)> = row
        .account
        .orders
        .iter()
        .filter(|order| order.counts())
        .map(|order| (order.placed, order.asset, order.side))
        .collect();
    let since = own.first().map_or(tape.now().day, |(placed, _, _)| *placed);
    let kept: Vec<(i32, u8, Side)> = row
        .conduct
        .first_plan
        .iter()
        .flat_map(|plan| &plan.parts)
        .filter_map(|part| {
            let (place, _) = tape.asset(&part.asset)?;
            Some((since, place, Side::Buy(Fen(part.share.of(cash.0)))))
        })
        .collect();
    let earned = tape.cash_return(since, tape.now().day);
    let in_cash = Ppm(u32::try_from(earned).unwrap_or(0));
    Exit {
        value: Fen(row.conduct.value),
        without_script: replayed(tape, cash, &own, false),
        plan_kept: replayed(tape, cash, &kept, true),
        in_cash: Fen(cash.0 + in_cash.of(cash.0)),
        drawdown: Ppm(row.conduct.drawdown),
    }
}

/// What becomes of orders on a path: what cannot be done there is done as far as it can.
fn replayed(tape: &Tape, cash: Fen, orders: &[(i32, u8, Side)], script: bool) -> Fen {
    let mut account = Account::new(cash);
    let mut left = orders;
    tape.replay(&mut account, script, |account, moment| {
        while let Some(((placed, asset, side), rest)) = left.split_first() {
            if *placed > moment.day {
                break;
            }
            left = rest;
            place(account, moment, *asset, *side);
        }
    });
    Fen(account.value(tape.assets(), tape.last_quotes(script), tape.now().date))
}

fn place(account: &mut Account, moment: &Moment<'_>, asset: u8, side: Side) {
    match side {
        Side::Buy(amount) => {
            let amount = amount.0.min(account.cash);
            if account.check_buy(moment, asset, amount).is_ok() {
                account.buy(moment, asset, amount, PLACING);
            }
        }
        Side::Redeem(units) | Side::Fast(units) => {
            let fast = matches!(side, Side::Fast(_));
            let units = units.0.min(account.free(moment, asset));
            if account.check_redeem(moment, asset, units, fast).is_ok() {
                account.redeem(moment, asset, units, fast, PLACING);
            }
        }
        Side::Matured(_) => {}
    }
}
