use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put(i64, i32),
    Take(i64, bool),
    Expire(i32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1i64..500, 0i32..12).prop_map(|(points, month)| Step::Put(points, month)),
        (1i64..500, any::<bool>()).prop_map(|(points, latest)| Step::Take(points, latest)),
        (0i32..12).prop_map(Step::Expire),
    ]
}

proptest! {
    /// A wallet against a plain map from expiry to points.
    #[test]
    fn a_wallet_keeps_its_buckets_straight(steps in proptest::collection::vec(step(), 0..60)) {
        let mut wallet = Wallet::default();
        let mut model: BTreeMap<i32, i64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(points, month) => {
                    wallet.put(points, Day(month));
                    *model.entry(month).or_default() += points;
                }
                Step::Take(points, latest) => {
                    let mut left = points.min(wallet.balance().0);
                    wallet.take(left, latest);
                    let mut months: Vec<i32> = model.keys().copied().collect();
                    if latest {
                        months.reverse();
                    }
                    for month in months {
                        let held = model.get_mut(&month).unwrap();
                        let taken = left.min(*held);
                        *held -= taken;
                        left -= taken;
                    }
                }
                Step::Expire(today) => {
                    let expired = wallet.expire(Day(today));
                    let sum: i64 = expired.iter().map(|(_, points)| points).sum();
                    let gone = model.range(..=today).map(|(_, points)| points).sum::<i64>();
                    prop_assert_eq!(sum, gone);
                    model.retain(|month, _| *month > today);
                }
            }
            model.retain(|_, points| *points > 0);
            let buckets: Vec<(i32, i64)> =
                wallet.buckets.iter().map(|b| (b.expires.0, i64::from(b.points))).collect();
            prop_assert_eq!(buckets, model.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(wallet.balance().0, model.values().sum::<i64>());
        }
    }

    /// Whatever is posted: the books sum to zero and entries are numbered without a gap.
    #[test]
    fn the_books_always_balance(moves in proptest::collection::vec((0usize..5, 0usize..5, 1i64..=POINTS_MAX.0), 0..50)) {
        let member = Account::Member(MemberId::new(dengmi_core::BranchId(1), 1));
        let accounts = [Account::Issue, Account::Redemption, Account::Expiry, Account::House, member];
        let mut books = Books::default();
        for (n, (from, to, points)) in moves.into_iter().enumerate() {
            books.post(LedgerEntry {
                id: n as u64 + 1,
                at: dengmi_core::Timestamp(1),
                day: Day(0),
                kind: EntryKind::Award,
                from: accounts[from],
                to: accounts[to],
                points: Points(points),
                rule: None,
                cause: Cause::Order(n as u64),
            });
            prop_assert_eq!(books.entries.last().unwrap().id, n as u64 + 1);
            prop_assert_eq!(books.sum(), 0);
        }
    }
}

#[test]
fn only_a_straight_wallet_is_believed() {
    let most = POINTS_MAX.0 as i32;
    for (buckets, straight) in [
        (vec![], true),
        (vec![(1, 5), (2, 5)], true),
        (vec![(2, 5), (1, 5)], false),
        (vec![(1, 5), (1, 5)], false),
        (vec![(1, 1), (2, 0)], false),
        (vec![(1, -1)], false),
        (vec![(1, most)], true),
        (vec![(1, most), (2, 1)], false),
    ] {
        let bucket = |&(expires, points)| Bucket { expires: Day(expires), points };
        let wallet = Wallet { buckets: buckets.iter().map(bucket).collect() };
        assert_eq!(wallet.is_straight(), straight, "{buckets:?}");
    }
}

#[test]
fn points_expire_on_the_first_day_they_are_not_good_for() {
    let mut wallet = Wallet::default();
    wallet.put(5, Day(10));
    for (today, expires) in [(9, false), (10, true), (11, true)] {
        assert_eq!(wallet.expires_by(Day(today)), expires, "{today}");
    }
    assert!(wallet.expire(Day(9)).is_empty());
    assert_eq!(wallet.expire(Day(10)).as_slice(), [(Day(10), 5)]);
}

#[test]
fn only_books_that_balance_are_believed() {
    let wallet = |points| {
        let mut wallet = Wallet::default();
        wallet.put(points, Day(10));
        wallet
    };
    let crooked = Wallet {
        buckets: [Bucket { expires: Day(1), points: 9 }, Bucket { expires: Day(1), points: -2 }]
            .into_iter()
            .collect(),
    };
    let check = |sums: [i64; 5], wallets: &[Wallet], believed: bool| {
        let mut world = World::new();
        let member = Member {
            community: 1,
            kind: dengmi_content::model::community::CommunityKind::LongTerm,
            status: dengmi_core::view::MemberStatus::Active,
            joined_at: dengmi_core::Timestamp(0),
            joined: Day(0),
            consents: [0; 4],
            tags: 0,
            show: false,
        };
        world.insert_resource(Column::restored(vec![member; 2]));
        let books = Books { last_entry: 3, sums, ..Books::default() };
        assert_eq!(books.sum(), sums.iter().sum::<i64>());
        let bytes = encode(&Saved { books, wallets: Cow::Borrowed(wallets) });
        assert_eq!(restore(&mut world, 1, &bytes).is_ok(), believed, "{sums:?} {wallets:?}");
    };
    let two = [wallet(5), wallet(2)];
    check([-7, 0, 0, 0, 7], &two, true);
    check([-9, 2, 0, 0, 7], &two, true);
    // A wallet too many or too few, one that cannot be, sums that are not zero, others' points.
    check([-7, 0, 0, 0, 7], &[two[0].clone(), two[1].clone(), Wallet::default()], false);
    check([-7, 0, 0, 0, 7], &[wallet(7)], false);
    check([-7, 0, 0, 0, 7], &[crooked, Wallet::default()], false);
    check([-8, 0, 0, 0, 7], &two, false);
    check([-8, 0, 0, 0, 8], &two, false);
}
