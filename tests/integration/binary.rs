//! Binary data at any depth, both ways.

use crate::{
    client::{Client, Frame, Transport},
    script::{basic, script},
    server::Server,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketio::{Binary, DisconnectReason, Socket, SocketIo, Untyped, events, namespace};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Album {
    title: String,
    cover: Option<Binary>,
    pages: Vec<Page>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Page {
    Photo {
        #[serde(flatten)]
        photo: Photo,
    },
    Text {
        text: String,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Photo {
    pixels: (u32, Binary),
}

#[namespace("/albums", emits = AlbumEvents)]
trait Albums {
    #[event]
    async fn reverse(&self, album: Album, seal: Binary) -> Result<Album, String>;
    #[event]
    async fn show(&self, album: Album);
}

#[events]
trait AlbumEvents {
    #[event]
    async fn shown(&self, bytes: &[Binary], album: &Album);
}

struct Session(Socket<dyn Albums>);

fn reversed(bytes: &Binary) -> Binary {
    bytes.0.iter().rev().copied().collect::<Vec<u8>>().into()
}

impl Albums for Session {
    async fn reverse(&self, mut album: Album, seal: Binary) -> Result<Album, String> {
        if seal.0.is_empty() {
            return Err("no seal".to_owned());
        }
        album.cover = album.cover.as_ref().map(reversed);
        for page in &mut album.pages {
            if let Page::Photo { photo } = page {
                photo.pixels.1 = reversed(&photo.pixels.1);
            }
        }
        Ok(album)
    }
    async fn show(&self, album: Album) {
        let loose = [Binary::from(vec![0, 255]), Binary::default()];
        self.0.emit().shown(&loose, &album);
        self.0.broadcast().emit().shown(&loose, &album);
    }
}

async fn connect(socket: Socket<dyn Albums>) -> Result<Session, socketio::ConnectError> {
    Ok(Session(socket))
}

fn placeholder(number: usize) -> serde_json::Value {
    json!({ "_placeholder": true, "num": number })
}

/// An album whose attachments are numbered against the order in which they are met.
fn album() -> serde_json::Value {
    json!({
        "title": "hé世😀",
        "cover": placeholder(2),
        "pages": [
            { "kind": "photo", "pixels": [7, placeholder(0)] },
            { "kind": "text", "text": "t" },
            { "kind": "photo", "pixels": [8, placeholder(1)] },
        ],
    })
}

over_all_transports! {
    async fn typed_values_at_any_depth(transport) {
        let io = SocketIo::builder().namespace::<dyn Albums, _>(connect).build();
        let server = Server::start(&io);
        let mut client = Client::connect(server.addr, transport).await;
        client.join("/albums", None).await;
        let large: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        client.send(&format!("54-/albums,0{}", json!(["reverse", album(), placeholder(3)]))).await;
        for attachment in [&[1, 2][..], &large, &[3, 4, 5], &[9]] {
            client.send_binary(attachment).await;
        }
        let answer = client.answer("/albums", 0).await;
        assert_eq!(answer[0]["ok"], json!(true), "{answer}");
        assert_eq!(answer[0]["data"]["title"], json!("hé世😀"));

        let mut second = Client::connect(server.addr, transport).await;
        second.join("/albums", None).await;
        client.send(&format!("53-/albums,{}", json!(["show", album()]))).await;
        for attachment in [&[1, 2][..], &large, &[]] {
            client.send_binary(attachment).await;
        }
        for client in [&mut client, &mut second] {
            let shown = client.event().await;
            assert_eq!(shown.args()[0], json!([placeholder(0), placeholder(1)]));
            assert_eq!(shown.args()[1]["cover"], placeholder(2), "numbered in the order of the text");
            assert_eq!(shown.attachments, [vec![0, 255], vec![], vec![], vec![1, 2], large.clone()]);
        }
    }

    async fn packets_with_attachments_are_never_torn_apart(transport) {
        let (connect, _ended) = script(|socket, event| async move {
            if event.name() == "storm" {
                for task in 0..4u8 {
                    let socket = socket.clone();
                    tokio::spawn(async move {
                        for n in 0..50u8 {
                            let parts = [Binary::from(vec![task, n]), Binary::from(vec![n, task])];
                            socket.emit_raw("pair", (task, n, parts)).expect("it is connected");
                            socket.emit_raw("text", ()).expect("it is connected");
                            tokio::task::yield_now().await;
                        }
                    });
                }
            }
            basic(socket, event).await
        });
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        client.emit("/", json!(["storm"])).await;
        let mut next = [0; 4];
        for _ in 0..400 {
            let event = client.event().await;
            if event.name() == "pair" {
                let task = event.args()[0].as_u64().expect("a number") as usize;
                let n = next[task];
                next[task] += 1;
                assert_eq!(event.attachments, [vec![task as u8, n], vec![n, task as u8]]);
            }
        }
        assert_eq!(next, [50; 4]);
    }

    async fn illegal_attachments_close_the_connection(transport) {
        let (connect, mut ended) = script(basic);
        let io = SocketIo::builder().max_attachments(3).max_attachment_bytes(1000).namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let text = |text: &str| Frame::Text(text.to_owned());
        let bytes = |length: usize| Frame::Binary(vec![1; length]);
        for (packets, legal) in [
            (vec![text(r#"53-["echo",{"_placeholder":true,"num":0}]"#), bytes(1), bytes(0), bytes(999)], true),
            (vec![text(r#"54-["echo"]"#)], false),
            (vec![text(r#"50-["echo"]"#)], false),
            (vec![text(r#"5["echo"]"#)], false),
            (vec![text(r#"52-["echo"]"#), bytes(600), bytes(600)], false),
            (vec![text(r#"52-["echo"]"#), bytes(1), text(r#"2["echo"]"#)], false),
            (vec![bytes(1)], false),
            (vec![text(r#"51-["echo",{"_placeholder":true,"num":1}]"#), bytes(1)], false),
            (vec![text(r#"51-["echo",{"_placeholder":true,"num":-1}]"#), bytes(1)], false),
            (vec![text(r#"51-["echo",{"_placeholder":true,"num":"0"}]"#), bytes(1)], false),
            (vec![text(r#"51-[{"_placeholder":true,"num":0}]"#), bytes(1)], false),
        ] {
            let mut client = Client::joined(server.addr, transport).await;
            for packet in &packets {
                match packet {
                    Frame::Text(text) => client.send(text).await,
                    Frame::Binary(bytes) => client.send_binary(bytes).await,
                    Frame::Closed => {}
                }
            }
            if legal {
                assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
                client.close().await;
                assert_ne!(ended.recv().await.expect("it ends").reason, DisconnectReason::ForcedClose);
                continue;
            }
            assert_eq!(client.rest().await, [], "{packets:?}");
            let reason = ended.recv().await.expect("it ends").reason;
            // Over polling the close may have to wait for a GET.
            let fits = reason == DisconnectReason::ForcedClose
                || (transport == Transport::Polling && reason == DisconnectReason::ForcedServerClose);
            assert!(fits, "{packets:?}: {reason}");
        }
    }
}
