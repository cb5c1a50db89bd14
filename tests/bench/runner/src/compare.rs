//! Every load against every server, in turns, so that a disturbance hits all alike; then tables and plots.

use crate::{
    Options,
    load::{Idle, Length, Rooms, idle},
    measure::{Figures, median},
    plot::{Dots, Row},
    process::{Program, Server},
    suite::{SCENARIOS, Scenario},
    swarm::Result,
    table::{Table, short},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// Of other processes, in cores: a run with more is repeated.
const QUIET: f64 = 0.06;
/// How often a disturbed run is repeated; the least disturbed one counts.
const REPEATS: usize = 2;

/// `compare.json`.
#[derive(Serialize, Deserialize)]
struct Comparison {
    machine: String,
    /// In the order of the tables.
    servers: Vec<String>,
    /// By load, then by server: every round.
    runs: BTreeMap<String, BTreeMap<String, Vec<Figures>>>,
    idle: BTreeMap<String, Vec<Idle>>,
}

/// One of the figures.
type Of = fn(&Figures) -> f64;

pub(crate) fn run(options: &Options) -> Result<()> {
    let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { 5 });
    let length = if options.quick {
        Length { warm_up: Duration::from_millis(500), time: Duration::from_millis(1500) }
    } else {
        Length { warm_up: Duration::from_secs(1), time: Duration::from_secs(3) }
    };
    let chosen = |name: &str, quick: bool| match options.only.is_empty() {
        true => quick || !options.quick,
        false => options.only.iter().any(|only| name.starts_with(only.as_str())),
    };
    let mut result = Comparison {
        machine: machine(),
        servers: options.servers.iter().map(|server| server.name.clone()).collect(),
        runs: BTreeMap::new(),
        idle: BTreeMap::new(),
    };
    for round in 0..rounds {
        for scenario in SCENARIOS.iter().filter(|scenario| chosen(scenario.name, scenario.is_quick())) {
            // Each server is the first one once.
            for at in 0..options.servers.len() {
                let program = &options.servers[(at + round) % options.servers.len()];
                if scenario.is_for(&program.name) {
                    let figures = one(program, scenario, options, length).map_err(|error| format!("{}: {error}", program.name))?;
                    eprintln!(
                        "{round} {:<12} {:<14} {:>8.3} us, {:.2} cores to others",
                        scenario.name, program.name, figures.cpu_us, figures.foreign
                    );
                    result.runs.entry(scenario.name.to_owned()).or_default().entry(program.name.clone()).or_default().push(figures);
                }
            }
        }
        if chosen("idle", true) && (round == 0 || round == 1) {
            for program in options.servers.iter().filter(|program| !program.name.contains('-')) {
                let figures = one_idle(program, options).map_err(|error| format!("{}: {error}", program.name))?;
                eprintln!("{round} {:<12} {:<14} {:>8.0} bytes each", "idle", program.name, figures.bytes_each);
                result.idle.entry(program.name.clone()).or_default().push(figures);
            }
        }
    }
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("compare.json"), serde_json::to_string_pretty(&result)? + "\n")?;
    draw(&options.out)
}

fn one(program: &Program, scenario: &Scenario, options: &Options, length: Length) -> Result<Figures> {
    let mut best: Option<Figures> = None;
    for _ in 0..=REPEATS {
        let server = Server::start(program, &options.server_cores, &[])?;
        let figures = scenario.load.run(&server, length)?;
        if best.as_ref().is_none_or(|best| figures.foreign < best.foreign) {
            best = Some(figures);
        }
        if best.as_ref().is_some_and(|best| best.foreign <= QUIET) {
            break;
        }
    }
    best.ok_or_else(|| "it did not run".into())
}

fn one_idle(program: &Program, options: &Options) -> Result<Idle> {
    let interval = Duration::from_secs(5);
    let connections = if options.quick { 2000 } else { options.connections };
    let server = Server::start(program, &options.server_cores, &[("BENCH_PING_MS", interval.as_millis().to_string())])?;
    idle(&server, connections, &Rooms::None, 1, interval)
}

/// Processor, cores and kernel.
pub(crate) fn machine() -> String {
    let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = file("/proc/cpuinfo");
    let model =
        processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map_or("?", |(_, name)| name.trim());
    let cores = processors.lines().filter(|line| line.starts_with("processor")).count();
    format!("{cores} cores of {model}, Linux {}", file("/proc/sys/kernel/osrelease").trim())
}

/// `compare.md` and its plots, from `compare.json`.
pub(crate) fn draw(out: &Path) -> Result<()> {
    let Ok(json) = fs::read_to_string(out.join("compare.json")) else { return Ok(()) };
    let all: Comparison = serde_json::from_str(&json)?;
    let rounds = all.runs.values().flat_map(BTreeMap::values).map(Vec::len).max().unwrap_or(0);
    let foreign = median(all.runs.values().flat_map(BTreeMap::values).flatten().map(|figures| figures.foreign).collect());
    let mut text = format!(
        "Written by `scripts/bench`. {}. Medians of {rounds} rounds; others took {foreign:.2} of a core meanwhile.\n",
        all.machine
    );
    let cell = |name: &str, server: &str, of: Of| -> Option<f64> {
        let runs = all.runs.get(name)?.get(server)?;
        Some(median(runs.iter().map(of).collect()))
    };
    let measured = || SCENARIOS.iter().filter(|scenario| all.runs.contains_key(scenario.name));
    let views: [(&str, Of); 4] = [
        ("Processor time of the server for each message, microseconds", |figures| figures.cpu_us),
        ("Messages in a second, one core for the server and one for the load", |figures| figures.per_second),
        ("Half of the messages took up to, microseconds", |figures| figures.p50_us),
        ("99 % of the messages took up to, microseconds", |figures| figures.p99_us),
    ];
    for (title, of) in views {
        let mut table = Table::new("", all.servers.clone());
        for scenario in measured() {
            let cells = all.servers.iter().map(|server| cell(scenario.name, server, of).map_or_else(String::new, short));
            table.row(scenario.title, cells.collect());
        }
        text += &format!("\n### {title}\n\n{table}");
    }
    if !all.idle.is_empty() {
        text += &format!(
            "\n### {} connections at rest\n\n{}",
            all.idle.values().flatten().next().map_or(0, |idle| idle.connections),
            idle_table(&all)
        );
    }
    fs::write(out.join("compare.md"), text)?;

    let plot = |file: &str, title: &str, of: Of| {
        let rows = measured().map(|scenario| Row {
            name: scenario.title.to_owned(),
            values: all.servers.iter().map(|server| cell(scenario.name, server, of)).collect(),
        });
        fs::write(out.join(file), Dots { title, series: &all.servers, rows: rows.collect() }.svg())
    };
    plot("compare-cpu.svg", "Processor time of the server for each message, microseconds (less is better)", |figures| {
        figures.cpu_us
    })?;
    plot("compare-p99.svg", "99 % of the messages took up to, microseconds (less is better)", |figures| figures.p99_us)?;
    Ok(())
}

fn idle_table(all: &Comparison) -> Table {
    let names = [
        "KB each",
        "us to accept one",
        "us for a ping",
        "ms until all have an event",
        "us for a delivery",
        "KB each, after they left",
    ];
    let mut table = Table::new("", names.iter().map(|name| (*name).to_owned()).collect());
    for (server, runs) in all.servers.iter().filter_map(|server| Some((server, all.idle.get(server)?))) {
        let of = |of: fn(&Idle) -> f64| short(median(runs.iter().map(of).collect()));
        table.row(
            server,
            vec![
                of(|idle| idle.bytes_each / 1024.0),
                of(|idle| idle.accept_cpu_us),
                of(|idle| idle.ping_cpu_us),
                of(|idle| idle.broadcast_ms),
                of(|idle| idle.delivery_cpu_us),
                of(|idle| idle.bytes_left / 1024.0 / idle.connections as f64),
            ],
        );
    }
    table
}
