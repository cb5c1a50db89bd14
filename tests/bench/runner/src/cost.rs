//! How the cost of one server grows: with connections, rooms, namespaces, the size of a message, cores. One thing is varied at a
//! time, and there is a plot of each.

use crate::{
    Options,
    compare::machine,
    load::{Echo, FanOut, Idle, Length, Load, Payload, Rooms, idle},
    measure::{Figures, median},
    plot::{Line, Lines},
    process::{Program, Server},
    swarm::Result,
    table::{Table, short},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// `cost.json`: for each plot, for each of its lines, points.
#[derive(Default, Serialize, Deserialize)]
struct Costs {
    machine: String,
    plots: BTreeMap<String, BTreeMap<String, Vec<(f64, f64)>>>,
}

/// A plot: its name in `cost.json` and of its file, what it shows, and what is varied.
struct Plot {
    name: &'static str,
    title: &'static str,
    below: &'static str,
    logarithmic: bool,
}

const PLOTS: [Plot; 9] = [
    plot("connections-memory", "Memory of connections at rest, MB", "connections", false),
    plot("connections-cpu", "Processor time with the number of connections, microseconds", "connections", false),
    plot("connections-heartbeat", "Heartbeats of all connections, percent of a core, one ping in 25 s each", "connections", false),
    plot("rooms-memory", "Memory of a connection, KB", "rooms that it is in, beside its own", false),
    plot("rooms-cpu", "Processor time of a delivery to a room of 100, microseconds", "other rooms that each receiver is in", false),
    plot("namespaces-memory", "Memory of a connection, KB", "namespaces that it is in", false),
    plot("namespaces-cpu", "Processor time of an echo, 10 in flight, microseconds", "namespaces that each client uses", false),
    plot("size", "Processor time of a message, microseconds", "bytes of the message", true),
    plot("cores", "Messages in a second with the number of cores", "cores of the server", false),
];

const fn plot(name: &'static str, title: &'static str, below: &'static str, logarithmic: bool) -> Plot {
    Plot { name, title, below, logarithmic }
}

/// The ping interval while connections at rest are watched, and the one of which the cost is told: the server's default.
const INTERVAL: Duration = Duration::from_secs(5);
const TOLD: f64 = 25.0;

/// What varies one thing.
type Part = fn(&mut Survey<'_>) -> Result<()>;

struct Survey<'a> {
    program: &'a Program,
    options: &'a Options,
    costs: Costs,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let program = options.servers.first().ok_or("--server is missing")?;
    let mut survey = Survey { program, options, costs: Costs { machine: machine(), ..Costs::default() } };
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| name.starts_with(only.as_str()));
    let parts: [(&str, Part); 5] = [
        ("connections", |survey| survey.connections()),
        ("rooms", |survey| survey.rooms()),
        ("namespaces", |survey| survey.namespaces()),
        ("size", |survey| survey.size()),
        ("cores", |survey| survey.cores()),
    ];
    fs::create_dir_all(&options.out)?;
    // What is not measured now stays as it was.
    if let Ok(json) = fs::read_to_string(options.out.join("cost.json")) {
        survey.costs.plots = serde_json::from_str::<Costs>(&json)?.plots;
    }
    for (name, part) in parts.into_iter().filter(|(name, _)| wanted(name)) {
        survey.costs.plots.retain(|plot, _| !plot.starts_with(name));
        part(&mut survey).map_err(|error| format!("{name}: {error}"))?;
        fs::write(options.out.join("cost.json"), serde_json::to_string_pretty(&survey.costs)? + "\n")?;
    }
    draw(&options.out)
}

impl Survey<'_> {
    fn add(&mut self, plot: &str, line: &str, x: usize, y: f64) {
        eprintln!("{plot:<22} {line:<28} {x:>7} {:>9}", short(y));
        self.costs
            .plots
            .entry(plot.to_owned())
            .or_default()
            .entry(line.to_owned())
            .or_default()
            .push((x as f64, (y * 1000.0).round() / 1000.0));
    }

    fn idle(&self, connections: usize, rooms: Rooms, namespaces: usize) -> Result<Idle> {
        let environment = [("BENCH_PING_MS", INTERVAL.as_millis().to_string())];
        let server = Server::start(self.program, &self.options.server_cores, &environment)?;
        idle(&server, connections, &rooms, namespaces, INTERVAL)
    }

    /// The median of three runs.
    fn load(&self, load: &Load) -> Result<f64> {
        let figures = (0..3).map(|_| self.once(load, &self.options.server_cores, &[])).collect::<Result<Vec<_>>>()?;
        Ok(median(figures.iter().map(|figures| figures.cpu_us).collect()))
    }

    fn once(&self, load: &Load, cores: &str, environment: &[(&str, String)]) -> Result<Figures> {
        let time = Duration::from_millis(if self.options.quick { 500 } else { 2000 });
        load.run(&Server::start(self.program, cores, environment)?, Length { warm_up: Duration::from_millis(500), time })
    }

    fn connections(&mut self) -> Result<()> {
        let most = self.options.connections;
        for count in [500, 1000, 2000, 5000, 10_000, 20_000, 50_000].into_iter().filter(|count| *count < most).chain([most]) {
            let idle = self.idle(count, Rooms::None, 1)?;
            self.add("connections-memory", "resident memory", count, idle.bytes_each * count as f64 / 1e6);
            self.add("connections-cpu", "to accept one", count, idle.accept_cpu_us);
            self.add("connections-cpu", "one ping", count, idle.ping_cpu_us);
            self.add("connections-cpu", "one delivery to all", count, idle.delivery_cpu_us);
            self.add("connections-heartbeat", "heartbeats", count, idle.idle_percent * INTERVAL.as_secs_f64() / TOLD);
        }
        Ok(())
    }

    fn rooms(&mut self) -> Result<()> {
        for count in [0, 5, 10, 20, 50, 100] {
            for (line, rooms) in [("shared by all", Rooms::Shared(count)), ("each of its own", Rooms::Own(count))] {
                let idle = self.idle(1000, rooms, 1)?;
                self.add("rooms-memory", line, count, idle.bytes_each / 1024.0);
            }
            let load = Load::FanOut(FanOut { receivers: 100, in_flight: 1, size: 64, other_rooms: count });
            let cost = self.load(&load)?;
            self.add("rooms-cpu", "a delivery", count, cost);
        }
        Ok(())
    }

    fn namespaces(&mut self) -> Result<()> {
        for count in [1, 2, 4, 6, 8, 10] {
            let idle = self.idle(2000, Rooms::None, count)?;
            self.add("namespaces-memory", "resident memory", count, idle.bytes_each / 1024.0);
            let load = Load::Echo(Echo { clients: 50, in_flight: 10, namespaces: count, payload: Payload::Text(48) });
            let cost = self.load(&load)?;
            self.add("namespaces-cpu", "an echo", count, cost);
        }
        Ok(())
    }

    fn size(&mut self) -> Result<()> {
        for size in [64, 256, 1024, 4096, 16_384, 65_536] {
            let echo = |payload| Load::Echo(Echo { clients: 50, in_flight: 2, namespaces: 1, payload });
            let payloads = [
                ("echo of a text", Payload::Text(size)),
                ("echo of a typed object", Payload::Object(size.max(81))),
                ("echo of binary data", Payload::Binary(size)),
            ];
            for (line, payload) in payloads {
                let cost = self.load(&echo(payload))?;
                self.add("size", line, size, cost);
            }
            let cost = self.load(&Load::FanOut(FanOut { receivers: 100, in_flight: 1, size, other_rooms: 0 }))?;
            self.add("size", "a delivery to 100", size, cost);
        }
        Ok(())
    }

    /// Objects of 16 KB, so that the server has far more to do for a message than the load generator, which shares the cores.
    fn cores(&mut self) -> Result<()> {
        let load = Load::Echo(Echo { clients: 40, in_flight: 2, namespaces: 1, payload: Payload::Object(16_384) });
        for cores in 1..=machine_cores() {
            let pinned = if cores == 1 { "0".to_owned() } else { format!("0-{}", cores - 1) };
            let environment = [("TOKIO_WORKER_THREADS", cores.to_string())];
            let figures = (0..3).map(|_| self.once(&load, &pinned, &environment)).collect::<Result<Vec<_>>>()?;
            self.add("cores", "echo of a 16 KB object", cores, median(figures.iter().map(|figures| figures.per_second).collect()));
        }
        Ok(())
    }
}

/// All of the machine, not only those of this process.
fn machine_cores() -> usize {
    fs::read_to_string("/proc/cpuinfo").map_or(1, |text| text.lines().filter(|line| line.starts_with("processor")).count())
}

/// `cost.md` and the plots, from `cost.json`.
pub(crate) fn draw(out: &Path) -> Result<()> {
    let Ok(json) = fs::read_to_string(out.join("cost.json")) else { return Ok(()) };
    let costs: Costs = serde_json::from_str(&json)?;
    let mut text = format!("Written by `scripts/bench --cost`. {}.\n", costs.machine);
    for Plot { name, title, below, logarithmic } in PLOTS {
        let Some(lines) = costs.plots.get(name) else { continue };
        let lines: Vec<Line> = lines.iter().map(|(name, points)| Line { name: name.clone(), points: points.clone() }).collect();
        let mut table = Table::new(below, lines.iter().map(|line| line.name.clone()).collect());
        for (at, (x, _)) in lines.first().map(|line| line.points.clone()).unwrap_or_default().into_iter().enumerate() {
            let cells = lines.iter().map(|line| line.points.get(at).map_or_else(String::new, |(_, y)| short(*y)));
            table.row(&format!("{x}"), cells.collect());
        }
        text += &format!("\n### {title}\n\n![{title}](cost-{name}.svg)\n\n{table}");
        fs::write(out.join(format!("cost-{name}.svg")), Lines { title, below, logarithmic, lines }.svg())?;
    }
    fs::write(out.join("cost.md"), text)?;
    Ok(())
}
