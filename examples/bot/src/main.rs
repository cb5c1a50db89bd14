//! `bot-example [URL [ROOM]]`: joins the chat example as `dicebot`.

#![allow(clippy::print_stderr)]

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "http://127.0.0.1:3000".to_owned());
    let room = args.next().unwrap_or_else(|| "lobby".to_owned());
    match bot_example::run(&url, "dicebot", &room).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
