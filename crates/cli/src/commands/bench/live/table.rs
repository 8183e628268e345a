//! The results as a table, each figure beside what it is held to.

use super::load::{Measured, Work, percentile_ms};

/// Everything one run measured.
pub(super) struct Results {
    members: u32,
    one: Measured,
    many: Measured,
    hellos: Vec<(Measured, Option<f64>)>,
    parts: Vec<Part>,
    /// When, and MB of resident memory.
    pub(super) memory: Vec<(&'static str, Option<f64>)>,
}

struct Part {
    name: &'static str,
    work: Work,
    connections: usize,
    measured: Measured,
    cpu: Option<f64>,
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
    pub(super) fn new(members: u32, one: Measured, many: Measured) -> Self {
        Self { members, one, many, hellos: Vec::new(), parts: Vec::new(), memory: Vec::new() }
    }

    pub(super) fn hello(&mut self, measured: (Measured, Option<f64>)) {
        self.hellos.push(measured);
    }

    pub(super) fn part(
        &mut self,
        name: &'static str,
        work: Work,
        connections: usize,
        (measured, cpu): (Measured, Option<f64>),
    ) {
        self.parts.push(Part { name, work, connections, measured, cpu });
    }

    /// Mean of the bare server before and after.
    fn hello_rate(&self) -> f64 {
        let rates = self.hellos.iter().map(|(measured, _)| measured.rate());
        rates.sum::<f64>() / (self.hellos.len().max(1) as f64)
    }

    fn p99(&self, reference: Reference) -> f64 {
        match reference {
            Reference::One => percentile_ms(&self.one.writes, 0.99),
            Reference::Many => percentile_ms(&self.many.writes, 0.99),
            Reference::Hello => {
                let all =
                    self.hellos.iter().map(|(measured, _)| percentile_ms(&measured.reads, 0.99));
                all.sum::<f64>() / (self.hellos.len().max(1) as f64)
            }
        }
    }

    /// The table.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} 成员 members，处理器 processors {}，负载与服务共用 shared by load and server",
                self.members,
                std::thread::available_parallelism().map_or(0, usize::from)
            ),
            format!(
                "{:<5} {:>5} {:>10} {:>9} {:>9} {:>11} {:>7} {:>7}",
                "", "conns", "requests/s", "p50 ms", "p99 ms", "CPU s/1000", "x H", "x D1"
            ),
        ];
        lines.push(self.line("D1", "-", &self.one, &self.one.writes, None));
        lines.push(self.line("D64", "-", &self.many, &self.many.writes, None));
        for (measured, cpu) in &self.hellos {
            lines.push(self.line("H", "64", measured, &measured.reads, *cpu));
        }
        for part in &self.parts {
            let connections = part.connections.to_string();
            let Measured { writes, reads, .. } = &part.measured;
            let main = if part.work == Work::CheckIn { writes } else { reads };
            lines.push(self.line(part.name, &connections, &part.measured, main, part.cpu));
            if part.work == Work::Mix {
                let (half, most) = (percentile_ms(writes, 0.5), percentile_ms(writes, 0.99));
                lines.push(format!("{:<5} {:>5} {:>10} {half:>9.3} {most:>9.3}", "", "", "(A)"));
            }
            if let Some(failure) = &part.measured.failure {
                let count = part.measured.failures;
                lines.push(format!("      {count} 次失败 failures, the first: {failure}"));
            }
        }
        lines.push(String::new());
        lines.push(format!(
            "{:<34} {:>9} {:>9} {:>9}",
            "要求 held to", "这次 here", "下限 floor", "目标 goal"
        ));
        self.parts.iter().for_each(|part| self.comparisons(part, &mut lines));
        for (when, mb) in &self.memory {
            let mb = mb.map_or_else(|| "-".to_owned(), |mb| format!("{mb:.0}"));
            let (floor, goal) = if self.members == 20_000 { ("120", "60") } else { ("", "") };
            lines.push(compared(&format!("内存 memory MB, {when}"), &mb, floor, goal, None));
        }
        lines
    }

    fn line(
        &self,
        name: &str,
        connections: &str,
        measured: &Measured,
        times: &[u32],
        cpu: Option<f64>,
    ) -> String {
        let rate = measured.rate();
        let (half, most) = (percentile_ms(times, 0.5), percentile_ms(times, 0.99));
        let cpu =
            cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{:.4}", per_1000(measured, cpu)));
        let (h, d) = (rate / self.hello_rate(), rate / self.one.rate());
        format!(
            "{name:<5} {connections:>5} {rate:>10.0} {half:>9.3} {most:>9.3} {cpu:>11} {h:>7.2} {d:>7.1}"
        )
    }

    fn comparisons(&self, part: &Part, lines: &mut Vec<String>) {
        let Held { of_hello, of_disk, p99, cpu } = held(part.name);
        let name = part.name;
        let rate = part.measured.rate();
        let mut least = |what: String, value: f64, (floor, goal): (f64, f64)| {
            let met = value >= floor;
            lines.push(compared(
                &what,
                &format!("{value:.2}"),
                &floor.to_string(),
                &goal.to_string(),
                Some(met),
            ));
        };
        if let Some(bounds) = of_hello {
            least(format!("{name} requests/s, x H"), rate / self.hello_rate(), bounds);
        }
        if let Some(bounds) = of_disk {
            least(format!("{name} requests/s, x D1"), rate / self.one.rate(), bounds);
        }
        let mut most = |what: String, value: f64, floor: f64, goal: f64| {
            let met = value <= floor;
            lines.push(compared(
                &what,
                &format!("{value:.3}"),
                &floor.to_string(),
                &goal.to_string(),
                Some(met),
            ));
        };
        if let Some((reference, floor, goal)) = p99 {
            let Measured { writes, reads, .. } = &part.measured;
            let times = if part.work == Work::CheckIn { writes } else { reads };
            let value = percentile_ms(times, 0.99) / self.p99(reference);
            most(format!("{name} p99, x {} p99", reference.name()), value, floor, goal);
        }
        if let (Some((floor, goal)), Some(cpu)) = (cpu, part.cpu) {
            most(format!("{name} CPU s/1000"), per_1000(&part.measured, cpu), floor, goal);
        }
    }
}

fn per_1000(measured: &Measured, cpu: f64) -> f64 {
    cpu * 1_000.0 / (measured.requests.max(1) as f64)
}

fn compared(what: &str, here: &str, floor: &str, goal: &str, met: Option<bool>) -> String {
    let met = if met == Some(false) { "  未达 missed" } else { "" };
    format!("{what:<34} {here:>9} {floor:>9} {goal:>9}{met}")
}
