//! `Exporter`: what is measured, by way of the `metrics` crate. The table of `docs/observability.md` is its other half.

use super::{Measured, Metrics};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Hands everything that is measured to the recorder of the `metrics` crate, whichever the application has installed: Prometheus,
/// OpenTelemetry, StatsD. Needs the feature `metrics`. Names and labels are listed in `docs/observability.md`.
///
/// A server without clients costs nothing; each event costs a few look-ups in the recorder.
///
/// ```
/// use socketio::{SocketIo, metrics::Exporter};
///
/// // Before or after: `metrics_exporter_prometheus::PrometheusBuilder::new().install()`, for example.
/// let io = SocketIo::builder().metrics(Exporter::new()).build();
/// # let _ = io;
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Exporter;

impl Exporter {
    /// An exporter. [`describe`](Self::describe) gives the recorder the descriptions, which is optional.
    pub fn new() -> Self {
        Exporter
    }

    /// Tells the recorder the unit and meaning of each metric. To be called once the recorder is installed.
    pub fn describe(self) -> Self {
        for (name, kind, unit, meaning) in METRICS {
            match kind {
                Kind::Counter => describe_counter!(name, unit, meaning),
                Kind::Gauge => describe_gauge!(name, unit, meaning),
                Kind::Histogram => describe_histogram!(name, unit, meaning),
            }
        }
        self
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

const CONNECTIONS: &str = "socketio_connections";
const OPENED: &str = "socketio_connections_opened_total";
const CLOSED: &str = "socketio_connections_closed_total";
const UPGRADES: &str = "socketio_upgrades_total";
const HANDSHAKES_REFUSED: &str = "socketio_handshakes_refused_total";
const REQUESTS_REFUSED: &str = "socketio_requests_refused_total";
const MESSAGES_RECEIVED: &str = "socketio_received_messages_total";
const BYTES_RECEIVED: &str = "socketio_received_bytes_total";
const PACKETS_SENT: &str = "socketio_sent_packets_total";
const BYTES_SENT: &str = "socketio_sent_bytes_total";
const COMPRESSED: &str = "socketio_messages_compressed_total";
const BYTES_COMPRESSED: &str = "socketio_compressed_bytes_total";
const BYTES_SAVED: &str = "socketio_compression_saved_bytes_total";
const QUEUED: &str = "socketio_queued_bytes";
const SOCKETS: &str = "socketio_sockets";
const SOCKETS_REFUSED: &str = "socketio_sockets_refused_total";
const SOCKETS_LOST: &str = "socketio_sockets_disconnected_total";
const EVENTS_RECEIVED: &str = "socketio_events_received_total";
const EVENT_SECONDS: &str = "socketio_event_seconds";
const EVENTS_REJECTED: &str = "socketio_events_rejected_total";
const EVENTS_EMITTED: &str = "socketio_events_emitted_total";
const EVENTS_DROPPED: &str = "socketio_events_dropped_total";
const ACK_SECONDS: &str = "socketio_ack_seconds";
const ACKS_MISSED: &str = "socketio_acks_missed_total";
const RETURNS: &str = "socketio_returns_total";
const CLUSTER_CONNECTED: &str = "socketio_cluster_connected";
const CLUSTER_PUBLISHED: &str = "socketio_cluster_published_total";
const CLUSTER_RECEIVED: &str = "socketio_cluster_received_total";
const CLUSTER_LOST: &str = "socketio_cluster_lost_total";

/// Every metric, as in the table of `docs/observability.md`.
const METRICS: [(&str, Kind, Unit, &str); 29] = [
    (CONNECTIONS, Gauge, Unit::Count, "open connections"),
    (OPENED, Counter, Unit::Count, "handshakes that were accepted"),
    (CLOSED, Counter, Unit::Count, "connections that have ended"),
    (UPGRADES, Counter, Unit::Count, "connections that moved from polling to WebSocket"),
    (HANDSHAKES_REFUSED, Counter, Unit::Count, "requests for a new connection that were refused"),
    (REQUESTS_REFUSED, Counter, Unit::Count, "other requests that were refused"),
    (MESSAGES_RECEIVED, Counter, Unit::Count, "messages that arrived"),
    (BYTES_RECEIVED, Counter, Unit::Bytes, "their size"),
    (PACKETS_SENT, Counter, Unit::Count, "packets that were handed to a transport"),
    (BYTES_SENT, Counter, Unit::Bytes, "their size"),
    (COMPRESSED, Counter, Unit::Count, "messages that were compressed for WebSocket, once for all who share them"),
    (BYTES_COMPRESSED, Counter, Unit::Bytes, "their size before"),
    (BYTES_SAVED, Counter, Unit::Bytes, "by how much they became smaller"),
    (QUEUED, Gauge, Unit::Bytes, "what waits to be sent, for all clients together"),
    (SOCKETS, Gauge, Unit::Count, "clients in the namespace"),
    (SOCKETS_REFUSED, Counter, Unit::Count, "clients that a namespace has refused"),
    (SOCKETS_LOST, Counter, Unit::Count, "clients that have left"),
    (EVENTS_RECEIVED, Counter, Unit::Count, "events that arrived"),
    (EVENT_SECONDS, Histogram, Unit::Seconds, "from the start of an event's handler to its end"),
    (EVENTS_REJECTED, Counter, Unit::Count, "events that were rejected"),
    (EVENTS_EMITTED, Counter, Unit::Count, "events that were emitted, once for any number of receivers"),
    (EVENTS_DROPPED, Counter, Unit::Count, "events that did not get on their way, once for each receiver"),
    (ACK_SECONDS, Histogram, Unit::Seconds, "from the emission of an event to its acknowledgement"),
    (ACKS_MISSED, Counter, Unit::Count, "acknowledgements that did not come"),
    (RETURNS, Counter, Unit::Count, "clients that came back and asked for their session"),
    (CLUSTER_CONNECTED, Gauge, Unit::Count, "whether the server is connected to the others"),
    (CLUSTER_PUBLISHED, Counter, Unit::Count, "messages to other servers that were queued"),
    (CLUSTER_RECEIVED, Counter, Unit::Count, "messages of other servers that arrived"),
    (CLUSTER_LOST, Counter, Unit::Count, "messages between servers that were lost"),
];

impl Metrics for Exporter {
    fn record(&self, measured: Measured<'_>) {
        match measured {
            Measured::ConnectionOpened { transport } => {
                counter!(OPENED, "transport" => transport).increment(1);
                gauge!(CONNECTIONS, "transport" => transport).increment(1);
            }
            Measured::ConnectionUpgraded => {
                counter!(UPGRADES).increment(1);
                gauge!(CONNECTIONS, "transport" => "polling").decrement(1);
                gauge!(CONNECTIONS, "transport" => "websocket").increment(1);
            }
            Measured::ConnectionClosed { transport, reason } => {
                counter!(CLOSED, "reason" => reason.as_str()).increment(1);
                gauge!(CONNECTIONS, "transport" => transport).decrement(1);
            }
            Measured::HandshakeRefused { reason } => counter!(HANDSHAKES_REFUSED, "reason" => reason).increment(1),
            Measured::RequestRefused { reason } => counter!(REQUESTS_REFUSED, "reason" => reason).increment(1),
            Measured::Received { transport, bytes } => {
                counter!(MESSAGES_RECEIVED, "transport" => transport).increment(1);
                counter!(BYTES_RECEIVED, "transport" => transport).increment(bytes as u64);
            }
            Measured::Sent { transport, packets, bytes } => {
                counter!(PACKETS_SENT, "transport" => transport).increment(packets as u64);
                counter!(BYTES_SENT, "transport" => transport).increment(bytes as u64);
            }
            Measured::Compressed { messages, bytes, sent } => {
                counter!(COMPRESSED).increment(messages as u64);
                counter!(BYTES_COMPRESSED).increment(bytes as u64);
                // With context takeover, a message may become larger.
                counter!(BYTES_SAVED).increment(bytes.saturating_sub(sent) as u64);
            }
            Measured::Queued { bytes } => gauge!(QUEUED).set(bytes as f64),
            Measured::SocketConnected { namespace } => gauge!(SOCKETS, "namespace" => namespace.to_owned()).increment(1),
            Measured::SocketRefused { namespace } => {
                counter!(SOCKETS_REFUSED, "namespace" => namespace.to_owned()).increment(1);
            }
            Measured::SocketDisconnected { namespace, reason } => {
                counter!(SOCKETS_LOST, "namespace" => namespace.to_owned(), "reason" => reason.as_str()).increment(1);
                gauge!(SOCKETS, "namespace" => namespace.to_owned()).decrement(1);
            }
            Measured::EventReceived { namespace } => {
                counter!(EVENTS_RECEIVED, "namespace" => namespace.to_owned()).increment(1);
            }
            Measured::EventHandled { namespace, elapsed } => {
                histogram!(EVENT_SECONDS, "namespace" => namespace.to_owned()).record(elapsed);
            }
            Measured::EventRejected { namespace, kind } => {
                counter!(EVENTS_REJECTED, "namespace" => namespace.to_owned(), "kind" => kind).increment(1);
            }
            Measured::EventEmitted { namespace } => {
                counter!(EVENTS_EMITTED, "namespace" => namespace.to_owned()).increment(1);
            }
            Measured::EventDropped { namespace, policy } => {
                counter!(EVENTS_DROPPED, "namespace" => namespace.to_owned(), "policy" => policy).increment(1);
            }
            Measured::Acknowledged { namespace, elapsed } => {
                histogram!(ACK_SECONDS, "namespace" => namespace.to_owned()).record(elapsed);
            }
            Measured::Unacknowledged { namespace } => {
                counter!(ACKS_MISSED, "namespace" => namespace.to_owned()).increment(1);
            }
            Measured::Returned { namespace, recovered } => {
                let outcome = if recovered { "recovered" } else { "new_session" };
                counter!(RETURNS, "namespace" => namespace.to_owned(), "outcome" => outcome).increment(1);
            }
            Measured::ClusterState { state } => gauge!(CLUSTER_CONNECTED).set(if state == "connected" { 1.0 } else { 0.0 }),
            Measured::ClusterPublished { namespace } => {
                counter!(CLUSTER_PUBLISHED, "namespace" => namespace.to_owned()).increment(1);
            }
            Measured::ClusterReceived { namespace } => {
                counter!(CLUSTER_RECEIVED, "namespace" => namespace.to_owned()).increment(1);
            }
            Measured::ClusterLost { namespace, why, messages } => {
                counter!(CLUSTER_LOST, "namespace" => namespace.to_owned(), "why" => why).increment(messages);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_guide_lists_every_metric() {
        let guide = include_str!("../../../docs/observability.md");
        let listed: Vec<(&str, &str)> = guide
            .lines()
            .filter_map(|line| line.strip_prefix("| `socketio_"))
            .filter_map(|rest| {
                let (name, rest) = rest.split_once('`')?;
                Some((name, rest.split('|').nth(1)?.trim()))
            })
            .collect();
        let kind = |kind| match kind {
            Counter => "counter",
            Gauge => "gauge",
            Histogram => "histogram",
        };
        let known: Vec<_> = METRICS.iter().map(|(name, of, ..)| (name.trim_start_matches("socketio_"), kind(*of))).collect();
        assert_eq!(listed, known);
    }
}
