//! The server's process: it is started on a free port and pinned to its cores, and the kernel is asked what it used.

use crate::swarm::Result;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// How a server is started: its name in the tables, and a command that ends with its arguments. It takes port 0, and its first
/// line of output ends with the address that it listens at.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
}

/// A server that runs. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    /// Kept open: a server that prints must not fail.
    _output: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// `cores` as `taskset` takes them; empty: all.
    pub(crate) fn start(program: &Program, cores: &str, environment: &[(&str, String)]) -> Result<Self> {
        let mut words: Vec<&str> = program.command.iter().map(String::as_str).collect();
        if !cores.is_empty() {
            words.splice(0..0, ["taskset", "-c", cores]);
        }
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", words[0]))?;
        let mut output = BufReader::new(child.stdout.take().ok_or("it has no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        match line.split_whitespace().last().and_then(|word| word.parse().ok()) {
            Some(address) => Ok(Server { child, _output: output, address }),
            None => {
                child.kill()?;
                Err(format!("{} does not say where it listens: {line:?}", program.name).into())
            }
        }
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(self.child.id())
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the server has ended")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; the kernel forgets it in any case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the server, this process and the whole machine had used of the processor at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    at: Instant,
    server: Duration,
    own: Duration,
    machine: Duration,
}

/// The difference of two [`Usage`]s.
pub(crate) struct Used {
    pub(crate) time: Duration,
    pub(crate) server: Duration,
    pub(crate) own: Duration,
    /// What went to others, in cores.
    pub(crate) foreign: f64,
}

impl Usage {
    fn of(server: u32) -> Result<Self> {
        let machine = fs::read_to_string("/proc/stat")?;
        let ticks = machine.lines().next().unwrap_or_default().split_whitespace().skip(1).take(3);
        Ok(Usage {
            at: Instant::now(),
            server: processor_time(server)?,
            own: processor_time(std::process::id())?,
            machine: ticks.filter_map(|ticks| ticks.parse().ok()).map(|ticks: u64| Duration::from_millis(10 * ticks)).sum(),
        })
    }

    pub(crate) fn since(&self, before: &Usage) -> Used {
        let time = self.at - before.at;
        let (server, own) = (self.server.saturating_sub(before.server), self.own.saturating_sub(before.own));
        let foreign = self.machine.saturating_sub(before.machine).saturating_sub(server + own);
        Used { time, server, own, foreign: foreign.as_secs_f64() / time.as_secs_f64() }
    }
}

/// By its threads, in nanoseconds. None of the servers ends threads while it is measured.
fn processor_time(process: u32) -> Result<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += times.split_whitespace().next().ok_or("no times")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
