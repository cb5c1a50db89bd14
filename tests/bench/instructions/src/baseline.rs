//! Counting with valgrind, and the committed counts.

use crate::scenario::Scenario;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Instructions for each scenario, for one message, delivery or connection.
pub(crate) type Counts = BTreeMap<String, f64>;

/// `baseline.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// The compiler that the counts are of, and its target: another one generates other code.
    compiler: String,
    /// By how many percent a count may grow or shrink before the baseline has to be looked at.
    tolerance: f64,
    counts: Counts,
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.json")
}

fn compiler() -> Result<String, Box<dyn Error>> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let line = |prefix| text.lines().find_map(|line| line.strip_prefix(prefix)).unwrap_or_default();
    Ok(format!("rustc {} {}", line("rustc "), line("host: ")))
}

impl Baseline {
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(path())?)?)
    }

    /// Those that were not counted now stay as they were, if there is still such a scenario.
    pub(crate) fn write(counted: Counts, known: &[&'static str]) -> Result<(), Box<dyn Error>> {
        const TOLERANCE: f64 = 3.0;
        let before = Baseline::read().ok();
        let tolerance = before.as_ref().map_or(TOLERANCE, |before| before.tolerance);
        let mut counts = before.map_or_else(Counts::new, |before| before.counts);
        counts.retain(|name, _| known.contains(&&**name));
        counts.extend(counted.into_iter().map(|(name, count)| (name, count.round())));
        let baseline = Baseline { compiler: compiler()?, tolerance, counts };
        fs::write(path(), serde_json::to_string_pretty(&baseline)? + "\n")?;
        baseline.tell(known)
    }

    /// Writes the table of `docs/performance.md`, between its marks.
    fn tell(&self, known: &[&'static str]) -> Result<(), Box<dyn Error>> {
        const MARKS: [&str; 2] = ["<!-- written by scripts/bench --instructions --update -->\n", "<!-- until here -->\n"];
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/performance.md");
        let text = fs::read_to_string(&path)?;
        let (before, rest) = text.split_once(MARKS[0]).ok_or("docs/performance.md has lost its mark")?;
        let (_, after) = rest.split_once(MARKS[1]).ok_or("docs/performance.md has lost its end mark")?;
        let rows = known.iter().filter_map(|name| Some(format!("| {name} | {} |\n", grouped(*self.counts.get(*name)?))));
        let table = format!("| | instructions |\n|---|---:|\n{}", rows.collect::<String>());
        fs::write(path, [before, MARKS[0], &table, MARKS[1], after].concat())?;
        Ok(())
    }

    /// Prints what changed. Whether all counts are those of the baseline, as far as it tolerates.
    pub(crate) fn compare(&self, counted: &Counts) -> Result<bool, Box<dyn Error>> {
        let (mut more, mut less, mut new) = (0, 0, 0);
        println!("  {:<28} {:>12} {:>12}  change", "instructions", "baseline", "now");
        for (name, &now) in counted {
            let Some(&before) = self.counts.get(name) else {
                new += 1;
                println!("  {name:<28} {:>12} {now:>12.0}  new", "");
                continue;
            };
            let change = (now / before - 1.0) * 100.0;
            let verdict = if change > self.tolerance {
                more += 1;
                "  MORE"
            } else if change < -self.tolerance {
                less += 1;
                "  less"
            } else {
                ""
            };
            println!("  {name:<28} {before:>12.0} {now:>12.0} {change:>+6.1} %{verdict}");
        }
        let compiler = compiler()?;
        if compiler != self.compiler {
            println!("\nThe baseline is of another compiler ({}), so this is no verdict. Here: {compiler}.", self.compiler);
            return Ok(true);
        }
        if more > 0 {
            println!(
                "\n{more} cost over {} % more than the baseline. If that is what they are worth: scripts/bench --instructions --update",
                self.tolerance
            );
        }
        if less > 0 {
            println!("\n{less} cost over {} % less. Keep that: scripts/bench --instructions --update", self.tolerance);
        }
        if new > 0 {
            println!("\n{new} are not in the baseline: scripts/bench --instructions --update");
        }
        // What got cheaper fails, too: else the next change could make it as expensive as before, unseen.
        Ok(more + less + new == 0)
    }
}

/// Thousands apart.
fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(" ")
}

/// Each scenario is run twice, for different numbers of times: the difference leaves out what is paid once.
pub(crate) fn count_all(chosen: &[&Scenario]) -> Result<Counts, Box<dyn Error>> {
    let mut counts = Counts::new();
    for scenario in chosen {
        let few = Counting::start(scenario, 0)?;
        let many = Counting::start(scenario, scenario.times)?;
        let (few, many) = (few.finish()?, many.finish()?);
        counts.insert(scenario.name.to_owned(), many.saturating_sub(few) as f64 / (scenario.times * scenario.parts) as f64);
    }
    Ok(counts)
}

/// A valgrind that runs.
struct Counting(Child);

impl Counting {
    fn start(scenario: &Scenario, times: u64) -> Result<Self, Box<dyn Error>> {
        let valgrind = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe()?)
            .args(["--run", scenario.name, &times.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("valgrind: {error}"))?;
        Ok(Counting(valgrind))
    }

    fn finish(self) -> Result<u64, Box<dyn Error>> {
        let output = self.0.wait_with_output()?;
        let report = String::from_utf8_lossy(&output.stderr);
        let collected = report.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        match collected {
            Some(count) if output.status.success() => Ok(count),
            _ => Err(format!("valgrind: {}\n{report}", output.status).into()),
        }
    }
}
