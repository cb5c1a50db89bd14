//! More connections at rest than a machine has descriptors for: over pipes in memory, in one thread.
//!
//! What the pipes and the client's ends take is measured by a second process that has nothing else, and subtracted. Not here: what a
//! socket of the kernel takes; see `scripts/bench --rest`.

use crate::{
    frame::frame,
    load::Kind,
    wire::{Client, Server},
};
use std::{
    error::Error,
    fs,
    process::Command,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, duplex},
    runtime::Builder,
    task::spawn,
    time::sleep_until,
};

/// The server's default.
const INTERVAL: Duration = Duration::from_secs(25);
/// What a pipe of this crowd holds, per direction.
const PIPE: usize = 512;
/// Heartbeats of all connections that are watched.
const BEATS: u32 = 2;

/// Measures so many, and prints what came of it.
pub(crate) fn measure(connections: usize) -> Result<(), Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?).args(["--pipes", &connections.to_string()]).output()?;
    let pipes: usize = String::from_utf8(output.stdout)?.trim().parse()?;
    Builder::new_current_thread().enable_time().build()?.block_on(crowd(connections, pipes))
}

/// Prints the bytes that so many pipes take, with somebody who reads at the far end.
pub(crate) fn pipes(connections: usize) -> Result<(), Box<dyn Error>> {
    Builder::new_current_thread().enable_time().build()?.block_on(async {
        let before = resident()?;
        let mut all = Vec::with_capacity(connections);
        for _ in 0..connections {
            let (near, mut far) = duplex(PIPE);
            spawn(async move { far.read_u8().await });
            all.push(Client::over(near));
        }
        tokio::task::yield_now().await;
        println!("{}", resident()? - before);
        Ok(())
    })
}

async fn crowd(connections: usize, pipes: usize) -> Result<(), Box<dyn Error>> {
    let server = Server::with(Kind::Typed, INTERVAL, PIPE);
    let before = resident()?;
    let began = Instant::now();
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut client = Client::join(&server).await;
        client.send(&frame(1, br#"421["join","r"]"#)).await;
        client.frames(1).await;
        client.rest();
        clients.push(client);
    }
    let opening = began.elapsed();
    let memory = resident()?.saturating_sub(before + pipes);
    println!("{connections} connections, each in a room: opened in {:.2} s, {:.2} KB each", opening.as_secs_f64(), {
        memory as f64 / connections as f64 / 1024.0
    });

    let (since, worked) = (Instant::now(), busy()?);
    for beat in 1..=BEATS {
        // All have been pinged then, the last as the first.
        sleep_until((began + opening + INTERVAL * beat + Duration::from_secs(1)).into()).await;
        for client in &mut clients {
            assert_eq!(client.frames(1).await, b"\x81\x012", "a ping");
            client.send(&frame(1, b"3")).await;
        }
    }
    let (passed, worked) = (since.elapsed(), busy()? - worked);
    let of_a_core = 100.0 * worked.as_secs_f64() / passed.as_secs_f64();
    println!("heartbeats, one in {} s, client included: {of_a_core:.1} % of a core", INTERVAL.as_secs());

    let data = r#"{"a":10000001,"pad":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;
    let mut publisher = Client::join(&server).await;
    let began = Instant::now();
    publisher.send(&frame(1, format!(r#"42["broadcast",{{"data":{data},"room":"r"}}]"#).as_bytes())).await;
    for client in &mut clients {
        client.frames(1).await;
    }
    println!("a broadcast to all: {:.0} ms until the last has read it", began.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}

/// Bytes of memory that this process has in use.
fn resident() -> Result<usize, Box<dyn Error>> {
    const PAGE: usize = 4096;
    let statm = fs::read_to_string("/proc/self/statm")?;
    Ok(statm.split(' ').nth(1).ok_or("statm is shorter than it was")?.parse::<usize>()? * PAGE)
}

/// Processor time of this process.
fn busy() -> Result<Duration, Box<dyn Error>> {
    /// Of `/proc`, on every Linux.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(") ").ok_or("stat is not what it was")?.1.split(' ').collect();
    let ticks = fields.get(11..13).ok_or("stat is shorter than it was")?;
    Ok(TICK * ticks.iter().map(|ticks| ticks.parse::<u32>()).sum::<Result<u32, _>>()?)
}
