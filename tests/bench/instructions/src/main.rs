//! How many instructions the server executes for a message, a delivery, a connection: counted by valgrind, so that neither a slow
//! machine nor a busy one matters, and compared with `baseline.json`.
//!
//! ```text
//! socketio-instructions                count everything, and compare: fails if anything costs more than the baseline allows
//! socketio-instructions --update       count everything, and write the baseline
//! socketio-instructions echo fan-out   only what has such a name
//! socketio-instructions --run NAME N   do it so many times: what valgrind runs, and what a profile is taken of
//! socketio-instructions --crowd N      so many connections at rest, without a socket: their memory, heartbeats, a broadcast
//! ```
//! One thread runs server and client over pipes in memory: no kernel, no scheduler. The client's part is included; it compares bytes
//! that it knows beforehand. What is paid once (start, handshake, growth of buffers) is left out: see `count`.
//!
//! Not here: time, which depends on the machine; see the package `socketio-bench`.

mod baseline;
mod crowd;
mod frame;
#[allow(dead_code, unreachable_pub, unused_imports, reason = "shared with the fixture server")]
#[path = "../../../src/load/mod.rs"]
mod load;
mod scenario;
mod wire;

use baseline::Baseline;
use scenario::{SCENARIOS, Scenario};
use std::{error::Error, process::ExitCode};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [run, name, times] = &args[..]
        && run == "--run"
    {
        Scenario::named(name).ok_or("there is no such scenario")?.run(times.parse()?);
        return Ok(ExitCode::SUCCESS);
    }
    match &args[..] {
        [crowd, connections] if crowd == "--crowd" => return crowd::measure(connections.parse()?).map(|()| ExitCode::SUCCESS),
        [pipes, connections] if pipes == "--pipes" => return crowd::pipes(connections.parse()?).map(|()| ExitCode::SUCCESS),
        _ => {}
    }
    let update = args.iter().any(|arg| arg == "--update");
    let parts: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let chosen: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|scenario| parts.is_empty() || parts.iter().any(|part| scenario.name.contains(part.as_str())))
        .collect();
    if chosen.is_empty() {
        return Err("there is no such scenario".into());
    }
    let counted = baseline::count_all(&chosen)?;
    if update {
        Baseline::write(counted, &SCENARIOS.map(|scenario| scenario.name))?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if Baseline::read()?.compare(&counted)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
