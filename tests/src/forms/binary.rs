//! Binary data wherever a payload can hold it. Each answer holds the same bytes backwards, so that both ways are seen.

use super::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{Binary, ConnectError, Socket, events, namespace};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct File {
    name: String,
    parts: Vec<Part>,
    preview: Option<Binary>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Part {
    data: Box<Binary>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    others: BTreeMap<String, Binary>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Inner {
    data: Binary,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(f64),
    Bytes(Binary),
    Named { name: String, data: Binary },
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Tagged {
    Image { data: Binary },
    Text { text: String },
}

#[namespace("/binary", emits = BinaryEvents, rename_all = "camelCase")]
trait Binaries {
    #[event]
    async fn top(&self, bytes: Binary) -> Binary;
    #[event]
    async fn lent(&self, bytes: &Binary, more: &[Binary]) -> Vec<Binary>;
    #[event]
    async fn rest(&self, #[rest] all: Vec<Binary>) -> (u32, Vec<Binary>);
    #[event]
    async fn optional(&self, bytes: Option<Binary>) -> Option<Binary>;
    #[event]
    async fn nested(&self, file: File) -> Result<File, String>;
    #[event]
    async fn flattened(&self, flat: Flat) -> Flat;
    #[event]
    async fn untagged(&self, value: Untagged) -> Untagged;
    #[event]
    async fn tagged(&self, value: Tagged) -> Tagged;
    /// Sends the file as an event, and answers with what the client makes of it.
    #[event]
    async fn send_back(&self, file: &File) -> Option<File>;
}

#[events(rename_all = "camelCase")]
trait BinaryEvents {
    #[event]
    async fn file(&self, bytes: &Binary, file: &File);
    #[event]
    async fn transform(&self, file: &File) -> File;
}

struct Session(Socket<dyn Binaries>);

fn backwards(bytes: &Binary) -> Binary {
    bytes.0.iter().rev().copied().collect::<Vec<u8>>().into()
}

impl Binaries for Session {
    async fn top(&self, bytes: Binary) -> Binary {
        backwards(&bytes)
    }
    async fn lent(&self, bytes: &Binary, more: &[Binary]) -> Vec<Binary> {
        more.iter().chain([bytes]).map(backwards).collect()
    }
    async fn rest(&self, all: Vec<Binary>) -> (u32, Vec<Binary>) {
        (all.len().try_into().unwrap_or(u32::MAX), all.iter().map(backwards).collect())
    }
    async fn optional(&self, bytes: Option<Binary>) -> Option<Binary> {
        bytes.as_ref().map(backwards)
    }
    async fn nested(&self, mut file: File) -> Result<File, String> {
        for part in &mut file.parts {
            *part.data = backwards(&part.data);
        }
        file.preview = file.preview.as_ref().map(backwards);
        Ok(file)
    }
    async fn flattened(&self, flat: Flat) -> Flat {
        let others = flat.others.into_iter().map(|(name, data)| (name, backwards(&data))).collect();
        Flat { id: flat.id, inner: Inner { data: backwards(&flat.inner.data) }, others }
    }
    async fn untagged(&self, value: Untagged) -> Untagged {
        match value {
            Untagged::Number(number) => Untagged::Number(-number),
            Untagged::Bytes(data) => Untagged::Bytes(backwards(&data)),
            Untagged::Named { name, data } => Untagged::Named { name, data: backwards(&data) },
        }
    }
    async fn tagged(&self, value: Tagged) -> Tagged {
        match value {
            Tagged::Image { data } => Tagged::Image { data: backwards(&data) },
            Tagged::Text { text } => Tagged::Text { text },
        }
    }
    async fn send_back(&self, file: &File) -> Option<File> {
        self.0.emit().file(&Binary::from(file.name.clone().into_bytes()), file);
        self.0.emit().transform(file).await.ok()
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder.namespace::<dyn Binaries, _>(async |socket: Socket<dyn Binaries>| Ok::<_, ConnectError>(Session(socket)))
}
