//! Every form of parameter. The answers tell what arrived and, where it matters, whether it was borrowed.

use super::{Builder, Point};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketio::{AckRequested, FromEvent, Incoming, Rejection, namespace};
use std::borrow::Cow;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Note<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    stars: Option<u8>,
}

/// Lets events with at most two arguments pass.
#[derive(Debug)]
struct Short(usize);

impl FromEvent for Short {
    fn from_event(event: &Incoming) -> Result<Self, Rejection> {
        match event.raw_args().len() {
            count @ 0..=2 => Ok(Short(count)),
            _ => Err(Rejection::new("too many arguments")),
        }
    }
}

#[namespace("/parameters", rename_all = "camelCase")]
trait Parameters {
    #[event]
    async fn owned(&self, number: u32, text: String, list: Vec<i32>, anything: Value) -> Value;
    #[event]
    async fn lent(&self, point: &Point) -> i32;
    #[event]
    async fn lent_slice(&self, points: &[Point]) -> Vec<i32>;
    #[event]
    async fn text(&self, text: &str) -> String;
    #[event]
    async fn optional_text(&self, text: Option<&str>) -> Value;
    #[event]
    async fn cow(&self, text: Cow<'_, str>) -> (String, bool);
    #[event]
    async fn borrowing(&self, note: Note<'_>) -> Value;
    #[event]
    async fn optional_tail(&self, first: u32, second: Option<u32>, third: Option<Point>) -> (u32, Option<u32>, Option<Point>);
    #[event]
    async fn rest(&self, first: &str, #[rest] others: Vec<i64>) -> (String, Vec<i64>);
    #[event]
    async fn extracted(
        &self,
        #[extract] asked: AckRequested,
        text: &str,
        #[extract] short: Short,
    ) -> Result<(bool, String, usize), String>;
}

struct Session;

impl Parameters for Session {
    async fn owned(&self, number: u32, text: String, list: Vec<i32>, anything: Value) -> Value {
        json!({ "number": number, "text": text, "list": list, "anything": anything })
    }
    async fn lent(&self, point: &Point) -> i32 {
        point.x + point.y
    }
    async fn lent_slice(&self, points: &[Point]) -> Vec<i32> {
        points.iter().map(|point| point.x + point.y).collect()
    }
    async fn text(&self, text: &str) -> String {
        text.to_uppercase()
    }
    async fn optional_text(&self, text: Option<&str>) -> Value {
        json!({ "text": text })
    }
    async fn cow(&self, text: Cow<'_, str>) -> (String, bool) {
        let borrowed = matches!(text, Cow::Borrowed(_));
        (text.into_owned(), borrowed)
    }
    async fn borrowing(&self, note: Note<'_>) -> Value {
        json!({ "text": note.text, "stars": note.stars, "borrowed": matches!(note.text, Cow::Borrowed(_)) })
    }
    async fn optional_tail(&self, first: u32, second: Option<u32>, third: Option<Point>) -> (u32, Option<u32>, Option<Point>) {
        (first, second, third)
    }
    async fn rest(&self, first: &str, others: Vec<i64>) -> (String, Vec<i64>) {
        (first.to_owned(), others)
    }
    async fn extracted(
        &self,
        AckRequested(asked): AckRequested,
        text: &str,
        Short(count): Short,
    ) -> Result<(bool, String, usize), String> {
        Ok((asked, text.to_owned(), count))
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder.shared::<dyn Parameters>(Session)
}
