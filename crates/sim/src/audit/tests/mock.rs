//! Doctored journals of mock investing.

use dengmi_core::course::{CourseAction, PupilView};
use dengmi_core::mock::{
    Assessed, ClientLevel, MarketView, MockAction, MockReceipt, MockView, OrderState, Side,
    Writing, WritingKind,
};

use super::school::{Sight, Term, term};
use super::*;

const TERMS: u64 = 20;

fn terms() -> &'static [Term] {
    static TERMS_PLAYED: OnceLock<Vec<Term>> = OnceLock::new();
    TERMS_PLAYED.get_or_init(|| (0..TERMS).map(term).collect())
}

#[test]
fn honest_accounts_pass() {
    let mut seen = Seen::default();
    for term in terms() {
        let mut auditor = auditor(&term.played);
        for ((batch, applied), sight) in term.played.said.iter().zip(&term.sights) {
            auditor.see(batch, &told(applied)).expect("an honest journal passes");
            let looked = auditor.look_at_cohorts(&sight.cohorts);
            looked.unwrap_or_else(|(of, what)| panic!("batch {}, {of}: {what}", batch.seq));
            for (member, courses) in &sight.pupils {
                let looked = auditor.look_at_courses(*member, courses);
                looked.unwrap_or_else(|(of, what)| panic!("batch {}, {of}: {what}", batch.seq));
            }
        }
        seen.add(auditor.seen());
    }
    for edge in [
        Edge::MarketClosed,
        Edge::LevelWaits,
        Edge::OrderedToBuy,
        Edge::OrderedFast,
        Edge::OrderPriced,
        Edge::OrderMatured,
        Edge::DebriefOwed,
        Edge::CourseDebriefed,
        Edge::FraudReported,
    ] {
        assert!(seen.count(edge) > 0, "never: {}", edge.text());
    }
}

/// The first answers in which `forge` finds something to change, in any course, must be refused
/// by `invariant`.
#[track_caller]
fn check_told(what: &str, invariant: Invariant, forge: Forge) {
    check_in(terms().iter().map(|term| &term.played), what, invariant, forge);
}

/// The first view in which `forge` finds something to change, in any course, must be refused by
/// `invariant`.
#[track_caller]
fn check_seen(what: &str, invariant: Invariant, forge: impl Fn(&mut Sight) -> Option<()>) {
    let mut forged = 0;
    for term in terms() {
        let mut auditor = auditor(&term.played);
        for ((batch, applied), sight) in term.played.said.iter().zip(&term.sights) {
            auditor.see(batch, &told(applied)).expect("an honest journal passes");
            let mut doctored = sight.clone();
            if forge(&mut doctored).is_none() {
                continue;
            }
            let mut found = auditor.look_at_cohorts(&doctored.cohorts);
            for (member, courses) in &doctored.pupils {
                found = found.and_then(|()| auditor.look_at_courses(*member, courses));
            }
            assert_eq!(found.expect_err(what).0, invariant, "{what}");
            forged += 1;
            break;
        }
    }
    assert!(forged > 0, "{what}: no course has it");
}

/// The first account that `change` changes.
fn account(sight: &mut Sight, change: impl Fn(&mut PupilView) -> Option<()>) -> Option<()> {
    sight.pupils.iter_mut().flat_map(|(_, courses)| courses).find_map(change)
}

/// Changes the first receipt about an account that `change` changes.
fn receipt(said: &mut Applied, change: impl Fn(&mut MockReceipt) -> Option<()>) -> Option<()> {
    said.outcomes.iter_mut().find_map(|outcome| match outcome {
        Outcome::Done(Receipt::Course(CourseReceipt::Mock(receipt))) => change(receipt),
        _ => None,
    })
}

fn what(action: &Action) -> Option<&MockAction> {
    match action {
        Action::Course(CourseAction::Mock { what, .. }) => Some(what),
        _ => None,
    }
}

fn taken(action: &Action) -> Option<Receipt> {
    matches!(what(action)?, MockAction::Buy { .. } | MockAction::Redeem { .. }).then(|| {
        let receipt = MockReceipt::Ordered { order: 1, market_day: 0, state: OrderState::Accepted };
        Receipt::Course(CourseReceipt::Mock(receipt))
    })
}

/// [`taken`], where whatever was bought would suit everybody.
fn redeemed(action: &Action) -> Option<Receipt> {
    matches!(what(action)?, MockAction::Redeem { .. }).then(|| taken(action))?
}

fn assessed(action: &Action) -> Option<Receipt> {
    let result = Assessed { level: ClientLevel::C5, until: Day(30_000), confirmed: true };
    matches!(what(action)?, MockAction::Assess { .. })
        .then_some(Receipt::Course(CourseReceipt::Mock(MockReceipt::Assessed(result))))
}

#[test]
fn suitability() {
    use Invariant::Suitability as I;
    check_told("an order above the level is taken", I, |_, batch, said| {
        grant(batch, said, Reject::AboveLevel, taken)
    });
    check_told("a plan above the level is taken", I, |_, batch, said| {
        grant(batch, said, Reject::AboveLevel, |action| {
            let receipt = MockReceipt::Planned { version: 1 };
            matches!(what(action)?, MockAction::WritePlan(_))
                .then_some(Receipt::Course(CourseReceipt::Mock(receipt)))
        })
    });
    fn shown(action: &Action) -> Option<Receipt> {
        matches!(what(action)?, MockAction::ReadSheet { .. }).then_some(Receipt::Ok)
    }
    check_told("a product above the level is shown", I, |_, batch, said| {
        grant(batch, said, Reject::AboveLevel, shown)
    });
    check_told("a product is shown to who does not want it", I, |_, batch, said| {
        grant(batch, said, Reject::NoMarketingConsent, shown)
    });
    check_told("an assessment too many", I, |_, batch, said| {
        grant(batch, said, Reject::AssessmentLimit, assessed)
    });
    check_told("who is not of age is assessed", I, |_, batch, said| {
        grant(batch, said, Reject::UnderAge, assessed)
    });
    check_told("a level is higher", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            MockReceipt::Assessed(result) if result.level < ClientLevel::C5 => {
                result.level = ClientLevel::C5;
                Some(())
            }
            _ => None,
        })
    });
    check_told("a level holds a day longer", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            MockReceipt::Assessed(result) => {
                result.until = result.until.plus(1);
                Some(())
            }
            _ => None,
        })
    });
    check_told("another level holds unconfirmed", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            MockReceipt::Assessed(result) if !result.confirmed => {
                result.confirmed = true;
                Some(())
            }
            _ => None,
        })
    });
    check_told("what does not wait is confirmed", I, |_, batch, said| {
        grant(batch, said, Reject::NothingToConfirm, |_| Some(Receipt::Ok))
    });
    check_seen("readers see another level", I, |sight| {
        account(sight, |view| {
            let level = view.level.as_mut()?;
            level.confirmed ^= true;
            Some(())
        })
    });
    check_seen("readers see one attempt less", I, |sight| {
        account(sight, |view| view.assessed.pop().map(|_| ()))
    });
}

#[test]
fn orders() {
    use Invariant::Portfolio as I;
    check_told("an order without a plan is taken", I, |_, batch, said| {
        grant(batch, said, Reject::PlanFirst, taken)
    });
    check_told("an order is taken while a debrief is owed", I, |_, batch, said| {
        grant(batch, said, Reject::DebriefFirst, taken)
    });
    check_told("an order before its day is taken", I, |_, batch, said| {
        grant(batch, said, Reject::OrdersNotYet, redeemed)
    });
    check_told("an order without a price is taken", I, |_, batch, said| {
        grant(batch, said, Reject::NoMorePrices, redeemed)
    });
    check_told("more is spent than there is", I, |_, batch, said| {
        grant(batch, said, Reject::NotEnoughCash, taken)
    });
    check_told("what is locked up is redeemed", I, |_, batch, said| {
        grant(batch, said, Reject::LockedUp, taken)
    });
    check_told("what is not held is redeemed", I, |_, batch, said| {
        grant(batch, said, Reject::NotEnoughUnits, taken)
    });
    check_told("more comes fast than may", I, |_, batch, said| {
        grant(batch, said, Reject::FastLimit, taken)
    });
    check_told("what has its price is taken back", I, |_, batch, said| {
        grant(batch, said, Reject::OrderDone, |_| Some(Receipt::Ok))
    });
    check_told("an order gets the price of the day before", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            MockReceipt::Ordered { market_day, .. } => {
                *market_day -= 1;
                Some(())
            }
            _ => None,
        })
    });
    check_told("a number of an order is left out", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            MockReceipt::Ordered { order, .. } => {
                *order += 1;
                Some(())
            }
            _ => None,
        })
    });
    check_told("a loss that is not there is looked back at", I, |_, batch, said| {
        grant(batch, said, Reject::NothingToDebrief, |_| {
            Some(Receipt::Course(CourseReceipt::Mock(MockReceipt::Written { texts: 1 })))
        })
    });
    check_told("no fraud is reported as one", I, |_, batch, said| {
        grant(batch, said, Reject::NotAFraud, |_| Some(Receipt::Ok))
    });
}

#[test]
fn prices() {
    use Invariant::Portfolio as I;
    check_told("prices of a day are not made", I, |_, _, said| {
        let priced =
            |event: &Event| matches!(event.kind, EventKind::Course(CourseEvent::Priced { .. }));
        let place = said.events.iter().position(priced)?;
        said.events.remove(place);
        said.events[place..].iter_mut().for_each(|event| event.seq -= 1);
        Some(())
    });
    check_told("prices of a day are made again", I, |_, _, said| {
        let event = said
            .events
            .iter()
            .find(|event| matches!(event.kind, EventKind::Course(CourseEvent::Priced { .. })))?;
        let (event, seq) = (event.clone(), said.events.last()?.seq + 1);
        said.events.push(Event { seq, ..event });
        Some(())
    });
    fn market(sight: &mut Sight, change: impl Fn(&mut MarketView) -> Option<()>) -> Option<()> {
        change(Arc::make_mut(&mut sight.cohorts.first_mut()?.market))
    }
    check_seen("a published quote is another", I, |sight| {
        market(sight, |market| {
            let mut row = market.quotes.last()?.to_vec();
            row.first_mut()?.nav += 1;
            *market.quotes.last_mut()? = row.into();
            Some(())
        })
    });
    check_seen("a quote of the history is another", I, |sight| {
        market(sight, |market| {
            let mut row = market.quotes.first()?.to_vec();
            row.last_mut()?.yearly += 1;
            *market.quotes.first_mut()? = row.into();
            Some(())
        })
    });
    check_seen("a future quote is published", I, |sight| {
        market(sight, |market| {
            let row = market.quotes.last()?.clone();
            market.quotes.push(row);
            market.dates.push(market.dates.last()? + 1);
            Some(())
        })
    });
    check_seen("the path without the script is told early", I, |sight| {
        market(sight, |market| {
            let early = market.without_script.is_empty();
            market.without_script.clone_from(&market.quotes);
            early.then_some(())
        })
    });
    check_seen("the secret is told early", Invariant::Cohorts, |sight| {
        let view = sight.cohorts.first_mut()?;
        view.secret.is_none().then(|| view.secret = Some(Digest::of(b"told")))
    });
    check_seen("something else was committed to", Invariant::Cohorts, |sight| {
        sight.cohorts.first_mut()?.commitment = Digest::of(b"another");
        Some(())
    });
    check_seen("a band has one more", I, |sight| {
        *sight.cohorts.first_mut()?.standing.bands.first_mut()? += 1;
        Some(())
    });
}

#[test]
fn accounts() {
    use Invariant::Portfolio as I;
    fn order(sight: &mut Sight, change: impl Fn(&mut MockView, usize) -> Option<()>) -> Option<()> {
        account(sight, |view| {
            (0..view.mock.orders.len()).find_map(|place| change(&mut view.mock, place))
        })
    }
    check_seen("a redemption brings a fen more", I, |sight| {
        order(sight, |mock, place| {
            let order = &mut mock.orders[place];
            let redeemed = matches!(order.side, Side::Redeem(_) | Side::Fast(_));
            (redeemed && order.state == OrderState::Settled).then(|| {
                order.amount.0 += 1;
                mock.cash.0 += 1;
            })
        })
    });
    check_seen("a fee is dropped", I, |sight| {
        order(sight, |mock, place| {
            let order = &mut mock.orders[place];
            (order.fee.0 > 0).then(|| {
                mock.fees.0 -= order.fee.0;
                mock.cash.0 += order.fee.0;
                order.fee.0 = 0;
            })
        })
    });
    check_seen("cash comes a day early", I, |sight| {
        order(sight, |mock, place| {
            let order = &mut mock.orders[place];
            let redeemed = matches!(order.side, Side::Redeem(_));
            (redeemed && order.state == OrderState::Priced).then(|| {
                order.state = OrderState::Settled;
                mock.cash.0 += order.amount.0;
            })
        })
    });
    check_seen("a lot is confirmed a day early", I, |sight| {
        order(sight, |mock, place| {
            let order = &mut mock.orders[place];
            let bought = matches!(order.side, Side::Buy(_));
            (bought && order.state == OrderState::Priced).then(|| order.state = OrderState::Settled)
        })
    });
    check_seen("what cannot be redeemed can", I, |sight| {
        account(sight, |view| {
            let holding =
                view.mock.holdings.iter_mut().find(|held| held.redeemable < held.units)?;
            holding.redeemable = holding.units;
            Some(())
        })
    });
    check_seen("a unit comes of nothing", I, |sight| {
        account(sight, |view| {
            view.mock.holdings.first_mut()?.units.0 += 1;
            Some(())
        })
    });
    check_seen("rounding stays with the member", I, |sight| {
        account(sight, |view| (view.mock.rounding > 0).then(|| view.mock.rounding = 0))
    });
    check_seen("an order that left the plan kept to it", I, |sight| {
        order(sight, |mock, place| {
            let order = &mut mock.orders[place];
            (!order.in_plan).then(|| order.in_plan = true)
        })
    });
    check_seen("a debrief that is owed is not", I, |sight| {
        account(sight, |view| view.mock.owes_debrief.then(|| view.mock.owes_debrief = false))
    });
    check_seen("a task that was not done was", I, |sight| {
        account(sight, |view| {
            view.mock.tasks ^= 1;
            Some(())
        })
    });
    check_seen("a point more for the plan", I, |sight| {
        account(sight, |view| {
            view.mock.score.plan_first += 1;
            Some(())
        })
    });
    check_seen("the outcome counts more than it may", I, |sight| {
        account(sight, |view| {
            view.mock.score.outcome = 60;
            Some(())
        })
    });
    check_seen("luck is told for process", I, |sight| {
        account(sight, |view| {
            view.mock.exit.as_mut()?.without_script.0 += 1;
            Some(())
        })
    });
}

#[test]
fn nobody_graduates_without_what_is_asked() {
    let mut forged = 0;
    for term in terms() {
        let unwritten = |view: &PupilView| {
            let course = |text: &Writing| text.kind == WritingKind::Course;
            !view.mock.texts.iter().any(course)
        };
        let last = term.sights.last().expect("there are batches");
        let mut careless = last.pupils.iter().filter(|(_, courses)| {
            courses
                .first()
                .is_some_and(|view| view.stage == PupilStage::Unfinished && unwritten(view))
        });
        let Some((careless, _)) = careless.next() else { continue };
        let mut auditor = auditor(&term.played);
        for (batch, applied) in &term.played.said {
            let mut said = applied.clone();
            let event = said.events.iter_mut().find_map(|event| match &mut event.kind {
                EventKind::Course(CourseEvent::Pupil { member, stage, .. })
                    if member == careless && *stage == PupilStage::Unfinished =>
                {
                    Some(stage)
                }
                _ => None,
            });
            let Some(stage) = event else {
                auditor.see(batch, &told(applied)).expect("an honest journal passes");
                continue;
            };
            *stage = PupilStage::Graduated;
            let found = auditor.see(batch, &told(&said)).expect_err("no debrief was written");
            assert_eq!(found.invariant, Invariant::Cohorts, "{found}");
            forged += 1;
            break;
        }
    }
    assert!(forged > 0, "everybody wrote a debrief");
}
