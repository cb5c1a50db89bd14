//! Measures Socket.IO servers beside each other. `scripts/bench` builds them and calls this.
//!
//! ```text
//! socketio-bench compare --out DIR --server 'name=command' ...   every load against every server, in turns
//! socketio-bench cost --out DIR --server 'name=command'          one server: how its cost grows with each thing
//! socketio-bench rest --connections N --server 'name=command'    one server: so many connections at rest
//! socketio-bench draw --out DIR                                  tables and plots again, from the figures in there
//! ```
//! The primary figure is processor time of the server for each message: it depends on neither the speed of the load generator nor,
//! much, on what else runs. Linux only: it asks `/proc`.
//!
//! Not here: instructions, which are counted by `socketio-instructions`.

mod compare;
mod cost;
#[path = "../../instructions/src/frame.rs"]
mod frame;
mod load;
mod measure;
mod net;
mod plot;
mod process;
mod suite;
mod swarm;
mod table;
#[allow(unreachable_pub, reason = "shared with the fixture server")]
#[path = "../../../src/load/text.rs"]
mod text;

use process::Program;
use std::{path::PathBuf, process::Command, time::Duration};
use swarm::Result;

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    out: PathBuf,
    servers: Vec<Program>,
    /// Only these loads, if there are any.
    only: Vec<String>,
    rounds: Option<usize>,
    quick: bool,
    connections: usize,
    /// As `taskset` takes them; empty: all.
    server_cores: String,
    client_cores: String,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let mut options = Options {
        out: PathBuf::from("."),
        servers: Vec::new(),
        only: Vec::new(),
        rounds: None,
        quick: false,
        connections: 10_000,
        server_cores: "0".to_owned(),
        client_cores: "1".to_owned(),
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--out" => options.out = value()?.into(),
            "--server" => {
                let value = value()?;
                let (name, command) = value.split_once('=').ok_or("--server is NAME=COMMAND")?;
                let command = command.split_whitespace().map(str::to_owned).collect();
                options.servers.push(Program { name: name.to_owned(), command });
            }
            "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
            "--rounds" => options.rounds = Some(value()?.parse()?),
            "--connections" => options.connections = value()?.parse()?,
            "--server-cores" => options.server_cores = value()?,
            "--client-cores" => options.client_cores = value()?,
            "--quick" => options.quick = true,
            other => return Err(format!("what is {other}?").into()),
        }
    }
    pin(&options)?;
    match what.as_str() {
        "compare" => compare::run(&options),
        "cost" => cost::run(&options),
        "rest" => rest(&options),
        "draw" => compare::draw(&options.out).and_then(|()| cost::draw(&options.out)),
        other => Err(format!("there is no `{other}`: compare, cost, rest, draw").into()),
    }
}

/// This process keeps off the server's cores.
fn pin(options: &Options) -> Result<()> {
    if !options.client_cores.is_empty() {
        let own = std::process::id().to_string();
        let pinned = Command::new("taskset").args(["-cp", &options.client_cores, &own]).output()?;
        if !pinned.status.success() {
            return Err(format!("taskset: {}", String::from_utf8_lossy(&pinned.stderr)).into());
        }
    }
    Ok(())
}

fn rest(options: &Options) -> Result<()> {
    const INTERVAL: Duration = Duration::from_secs(25);
    let program = options.servers.first().ok_or("--server is missing")?;
    let environment = [("BENCH_PING_MS", INTERVAL.as_millis().to_string())];
    let server = process::Server::start(program, &options.server_cores, &environment)?;
    let figures = load::idle(&server, options.connections, &load::Rooms::None, 1, INTERVAL)?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}
