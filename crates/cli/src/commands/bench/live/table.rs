//! The results as a table, each figure beside what it is held to.

use super::References;
use super::load::{Measured, Work, percentile_ms};

/// Everything one run measured.
pub(super) struct Results {
    members: u32,
    parts: Vec<Part>,
    /// When, and MB of resident memory.
    pub(super) memory: Vec<(&'static str, Option<f64>)>,
}

/// What came of one measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Requests a second.
    rate: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
    /// Processor seconds for 1,000 requests.
    cpu: Option<f64>,
}

impl Sample {
    /// `times` are the latencies that count, rising; `cpu` in seconds.
    pub(super) fn of(measured: &Measured, times: &[u32], cpu: Option<f64>) -> Self {
        Self {
            rate: measured.rate(),
            p50: percentile_ms(times, 0.5),
            p99: percentile_ms(times, 0.99),
            cpu: cpu.map(|cpu| cpu * 1_000.0 / (measured.requests.max(1) as f64)),
        }
    }
}

/// A part in one round, and the references around it: means of before and after.
struct Round {
    own: Sample,
    /// Of the writes in a mix.
    writes: Option<Sample>,
    hello: Sample,
    one: Sample,
    many: Sample,
}

struct Part {
    name: &'static str,
    work: Work,
    connections: usize,
    rounds: Vec<Round>,
    failures: u64,
    failure: Option<String>,
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn mean(a: Sample, b: Sample) -> Sample {
    let of = |value: fn(&Sample) -> f64| value(&a).midpoint(value(&b));
    Sample {
        rate: of(|s| s.rate),
        p50: of(|s| s.p50),
        p99: of(|s| s.p99),
        cpu: a.cpu.zip(b.cpu).map(|(a, b)| a.midpoint(b)),
    }
}

impl Part {
    /// The median of what `value` gives in each round.
    fn median(&self, value: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(value))
    }
}

/// What a part is held to: requests a second as shares of H and of D1, 99th percentiles as
/// multiples of a reference's, processor seconds for 1,000 requests; the least first, then the
/// goal.
struct Held {
    of_hello: Option<(f64, f64)>,
    of_disk: Option<(f64, f64)>,
    p99: Option<(Reference, f64, f64)>,
    cpu: Option<(f64, f64)>,
}

#[derive(Clone, Copy)]
enum Reference {
    Hello,
    One,
    Many,
}

impl Reference {
    fn name(self) -> &'static str {
        match self {
            Self::Hello => "H",
            Self::One => "D1",
            Self::Many => "D64",
        }
    }
}

fn held(name: &str) -> Held {
    let nothing = Held { of_hello: None, of_disk: None, p99: None, cpu: None };
    match name {
        "A" => Held {
            of_hello: Some((0.20, 0.33)),
            of_disk: Some((4.0, 7.0)),
            p99: Some((Reference::Many, 15.0, 8.0)),
            cpu: Some((0.060, 0.030)),
        },
        "A256" => Held { of_hello: Some((0.30, 0.50)), ..nothing },
        "A4" => Held { p99: Some((Reference::One, 4.0, 2.0)), ..nothing },
        "B" => Held {
            of_hello: Some((0.30, 0.70)),
            p99: Some((Reference::Hello, 4.0, 2.0)),
            cpu: Some((0.035, 0.018)),
            ..nothing
        },
        "C" => Held {
            of_hello: Some((0.40, 0.65)),
            p99: Some((Reference::Hello, 4.0, 2.0)),
            ..nothing
        },
        "D" => Held { of_hello: Some((0.30, 0.50)), ..nothing },
        _ => nothing,
    }
}

impl Results {
    pub(super) fn new(members: u32) -> Self {
        Self { members, parts: Vec::new(), memory: Vec::new() }
    }

    /// Takes a part's measurement in one round, with the references before and after it.
    pub(super) fn part(
        &mut self,
        name: &'static str,
        work: Work,
        connections: usize,
        (measured, cpu): (Measured, Option<f64>),
        [before, after]: [&References; 2],
    ) {
        let place = self.parts.iter().position(|part| part.name == name).unwrap_or_else(|| {
            let (rounds, failures, failure) = (Vec::new(), 0, None);
            self.parts.push(Part { name, work, connections, rounds, failures, failure });
            self.parts.len() - 1
        });
        let part = &mut self.parts[place];
        let times = if work == Work::CheckIn { &measured.writes } else { &measured.reads };
        part.rounds.push(Round {
            own: Sample::of(&measured, times, cpu),
            writes: (work == Work::Mix).then(|| Sample::of(&measured, &measured.writes, None)),
            hello: mean(before.hello, after.hello),
            one: mean(before.one, after.one),
            many: mean(before.many, after.many),
        });
        part.failures += measured.failures;
        part.failure = part.failure.take().or(measured.failure);
    }

    /// The table.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} 成员 members，处理器 processors {}，负载与服务共用 shared by load and server；{} 轮的中位数 medians of as many rounds",
                self.members,
                std::thread::available_parallelism().map_or(0, usize::from),
                self.parts.iter().map(|part| part.rounds.len()).max().unwrap_or(0),
            ),
            format!(
                "{:<5} {:>5} {:>10} {:>9} {:>9} {:>11} {:>7} {:>7}",
                "", "conns", "requests/s", "p50 ms", "p99 ms", "CPU s/1000", "x H", "x D1"
            ),
        ];
        let all: Vec<&Round> = self.parts.iter().flat_map(|part| &part.rounds).collect();
        lines.push(line("D1", "-", &all, |round| &round.one));
        lines.push(line("D64", "-", &all, |round| &round.many));
        lines.push(line("H", "64", &all, |round| &round.hello));
        for part in &self.parts {
            let rounds: Vec<&Round> = part.rounds.iter().collect();
            lines.push(line(part.name, &part.connections.to_string(), &rounds, |r| &r.own));
            if part.work == Work::Mix {
                let of = |value: fn(&Sample) -> f64| {
                    part.median(|round| round.writes.as_ref().map_or(0.0, value))
                };
                let (half, most) = (of(|s| s.p50), of(|s| s.p99));
                lines.push(format!("{:<5} {:>5} {:>10} {half:>9.3} {most:>9.3}", "", "", "(A)"));
            }
            if let Some(failure) = &part.failure {
                let count = part.failures;
                lines.push(format!("      {count} 次失败 failures, the first: {failure}"));
            }
        }
        lines.push(String::new());
        lines.push(format!(
            "{:<34} {:>9} {:>9} {:>9}",
            "要求 held to", "这次 here", "下限 floor", "目标 goal"
        ));
        self.parts.iter().for_each(|part| comparisons(part, &mut lines));
        for (when, mb) in &self.memory {
            let mb = mb.map_or_else(|| "-".to_owned(), |mb| format!("{mb:.0}"));
            let (floor, goal) = if self.members == 20_000 { ("120", "60") } else { ("", "") };
            lines.push(compared(&format!("内存 memory MB, {when}"), &mb, floor, goal, None));
        }
        lines
    }
}

fn line(name: &str, connections: &str, rounds: &[&Round], of: fn(&Round) -> &Sample) -> String {
    let each = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(|round| value(round)));
    let rate = each(&|round| of(round).rate);
    let (half, most) = (each(&|round| of(round).p50), each(&|round| of(round).p99));
    let timed = rounds.iter().all(|round| of(round).cpu.is_some()) && !rounds.is_empty();
    let cpu = match timed {
        true => format!("{:.4}", each(&|round| of(round).cpu.unwrap_or(0.0))),
        false => "-".to_owned(),
    };
    let h = each(&|round| of(round).rate / round.hello.rate);
    let d = each(&|round| of(round).rate / round.one.rate);
    format!(
        "{name:<5} {connections:>5} {rate:>10.0} {half:>9.3} {most:>9.3} {cpu:>11} {h:>7.2} {d:>7.1}"
    )
}

fn comparisons(part: &Part, lines: &mut Vec<String>) {
    let Held { of_hello, of_disk, p99, cpu } = held(part.name);
    let name = part.name;
    let mut least = |what: String, value: f64, (floor, goal): (f64, f64)| {
        let (floor_text, goal) = (floor.to_string(), goal.to_string());
        let met = Some(value >= floor);
        lines.push(compared(&what, &format!("{value:.2}"), &floor_text, &goal, met));
    };
    if let Some(bounds) = of_hello {
        let value = part.median(|round| round.own.rate / round.hello.rate);
        least(format!("{name} requests/s, x H"), value, bounds);
    }
    if let Some(bounds) = of_disk {
        let value = part.median(|round| round.own.rate / round.one.rate);
        least(format!("{name} requests/s, x D1"), value, bounds);
    }
    let mut most = |what: String, value: f64, (floor, goal): (f64, f64)| {
        let (floor_text, goal) = (floor.to_string(), goal.to_string());
        let met = Some(value <= floor);
        lines.push(compared(&what, &format!("{value:.3}"), &floor_text, &goal, met));
    };
    if let Some((reference, floor, goal)) = p99 {
        let value = part.median(|round| {
            let beside = match reference {
                Reference::Hello => &round.hello,
                Reference::One => &round.one,
                Reference::Many => &round.many,
            };
            round.own.p99 / beside.p99
        });
        most(format!("{name} p99, x {} p99", reference.name()), value, (floor, goal));
    }
    let timed = part.rounds.iter().all(|round| round.own.cpu.is_some());
    if let Some(bounds) = cpu.filter(|_| timed) {
        let value = part.median(|round| round.own.cpu.unwrap_or(0.0));
        most(format!("{name} CPU s/1000"), value, bounds);
    }
}

fn compared(what: &str, here: &str, floor: &str, goal: &str, met: Option<bool>) -> String {
    let met = if met == Some(false) { "  未达 missed" } else { "" };
    format!("{what:<34} {here:>9} {floor:>9} {goal:>9}{met}")
}
