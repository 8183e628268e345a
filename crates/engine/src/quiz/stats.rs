//! Item statistics: how hard a question was, and whether it told those who know from those who do
//! not.

use serde::{Deserialize, Serialize};

/// Statistics of one question of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuestionStats {
    pub(crate) answers: u32,
    pub(crate) right: u32,
    /// Thousandths from -1,000 to 1,000.
    pub(crate) discrimination: Option<i16>,
}

/// Fewest answers for which a discrimination says anything.
const ANSWERS_MIN: u32 = 10;

/// Members by how many answers elsewhere in the round were right: how many there are, and how
/// many of them were right here.
type Elsewhere = Vec<(u32, u32)>;

/// Counts members of a round into its statistics.
pub(crate) struct Tally {
    questions: Vec<Elsewhere>,
}

impl Tally {
    pub(crate) fn of(questions: usize) -> Self {
        Self { questions: vec![vec![(0, 0); questions]; questions] }
    }

    /// One member: for each question whether it was right, `None` where it was not answered.
    pub(crate) fn count(&mut self, rights: impl Iterator<Item = Option<bool>> + Clone) {
        let all = rights.clone().filter(|right| *right == Some(true)).count();
        for (question, right) in self.questions.iter_mut().zip(rights) {
            if let Some(right) = right {
                let (members, were_right) = &mut question[all - usize::from(right)];
                *members += 1;
                *were_right += u32::from(right);
            }
        }
    }

    /// Statistics of every question.
    pub(crate) fn statistics(&self) -> Vec<QuestionStats> {
        let of_one = |elsewhere: &Elsewhere| {
            let answers = elsewhere.iter().map(|(members, _)| members).sum();
            let right = elsewhere.iter().map(|(_, right)| right).sum();
            let discrimination = if answers < ANSWERS_MIN { None } else { discriminate(elsewhere) };
            QuestionStats { answers, right, discrimination }
        };
        self.questions.iter().map(of_one).collect()
    }
}

/// The share of right answers among those who had more right elsewhere in the round than the mean,
/// less that share among those who had fewer; those at the mean stay out. In whole numbers:
/// comparisons with the mean are products, not quotients.
fn discriminate(elsewhere: &Elsewhere) -> Option<i16> {
    let bins = || (0u64..).zip(elsewhere.iter().map(|&(all, right)| (u64::from(all), right)));
    let count: u64 = bins().map(|(_, (all, _))| all).sum();
    let sum: u64 = bins().map(|(had, (all, _))| had * all).sum();
    let share = |side: std::cmp::Ordering| {
        let group = bins().filter(|(had, _)| (had * count).cmp(&sum) == side);
        let (right, all) = group.fold((0, 0), |(right, all), (_, (members, were_right))| {
            (right + i64::from(were_right), all + members as i64)
        });
        (all > 0).then(|| right * 1_000 / all)
    };
    let (upper, lower) = (share(std::cmp::Ordering::Greater)?, share(std::cmp::Ordering::Less)?);
    i16::try_from(upper - lower).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows: &[(&str, usize)], question: usize, expected: (u32, u32, Option<i16>)) {
        let mut tally = Tally::of(3);
        for (marks, times) in rows {
            let rights = marks.chars().map(|c| match c {
                '1' => Some(true),
                '0' => Some(false),
                _ => None,
            });
            (0..*times).for_each(|_| tally.count(rights.clone()));
        }
        let stats = tally.statistics()[question];
        assert_eq!((stats.answers, stats.right, stats.discrimination), expected);
    }

    #[test]
    fn a_good_question_tells_them_apart() {
        check(&[("111", 6), ("000", 6)], 0, (12, 6, Some(1_000)));
        check(&[("011", 6), ("100", 6)], 0, (12, 6, Some(-1_000)));
        check(&[("111", 3), ("011", 3), ("100", 3), ("000", 3)], 0, (12, 6, Some(0)));
        check(&[("111", 4), ("000", 4), ("-11", 9)], 0, (8, 4, None));
        check(&[("111", 12)], 0, (12, 12, None));
    }
}
