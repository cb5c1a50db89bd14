//! Dynamic namespaces: typed parameters of the path, all children at once, one child.

use crate::{
    client::Client,
    server::{Server, eventually},
};
use serde_json::json;
use socketio::{ConnectError, NsPath, SocketIo, events, namespace};
use std::time::Duration;

#[namespace("/org/{org}/team/{team}", emits = TeamEvents)]
trait Team {
    #[event]
    async fn name(&self) -> String;
}

#[events]
trait TeamEvents {
    #[event]
    async fn news(&self, text: &str);
    #[event]
    async fn ready(&self) -> bool;
}

struct Member {
    org: String,
    team: u32,
}

async fn enter_team(NsPath((org, team)): NsPath<(String, u32)>) -> Result<Member, ConnectError> {
    Ok(Member { org, team })
}

impl Team for Member {
    async fn name(&self) -> String {
        format!("team {} of {}", self.team, self.org)
    }
}

over_all_transports! {
    async fn parameters_of_the_path_are_extracted(transport) {
        let io = SocketIo::builder().namespace::<dyn Team, _>(enter_team).build();
        let server = Server::start(&io);
        let mut client = Client::connect(server.addr, transport).await;
        client.join("/org/acme/team/3", None).await;
        client.join("/org/acme/team/4", None).await;
        assert_eq!(client.call("/org/acme/team/3", json!(["name"])).await, json!(["team 3 of acme"]));
        assert_eq!(client.call("/org/acme/team/4", json!(["name"])).await, json!(["team 4 of acme"]));
        let refused = client.try_join("/org/acme/team/x", None).await.expect_err("no number");
        assert_eq!(refused, json!({ "message": "invalid namespace path: `team` is no u32" }));
        for unknown in ["/org/acme/team", "/org/acme/team/3/4", "/org//team/3", "/org/acme/teams/3"] {
            let refused = client.try_join(unknown, None).await.expect_err("another shape");
            assert_eq!(refused, json!({ "message": "Invalid namespace" }), "{unknown}");
        }
    }

    async fn a_dynamic_namespace_addresses_all_its_children(transport) {
        let io = SocketIo::builder().namespace::<dyn Team, _>(enter_team).build();
        let server = Server::start(&io);
        let all = io.of::<dyn Team>();
        assert_eq!((all.path(), all.len(), io.namespaces().len()), ("/org/{org}/team/{team}", 0, 0), "nobody has come yet");
        let mut client = Client::connect(server.addr, transport).await;
        client.join("/org/acme/team/3", None).await;
        client.join("/org/acme/team/4", None).await;
        assert_eq!(all.len(), 2);
        all.emit().news("for all");
        // In no particular order.
        for path in ["/org/acme/team/3", "/org/acme/team/4"] {
            let news = client.packet_where(|packet| packet.namespace == path).await;
            assert_eq!((news.kind, news.data), (2, json!(["news", "for all"])));
        }
        let four = all.at("/org/acme/team/4").expect("it fits");
        four.emit().news("for four");
        client.expect("/org/acme/team/4", json!(["news", "for four"])).await;
        assert!(all.at("/org/acme").is_none());

        // Each child counts its acknowledgements by itself.
        let answers = tokio::spawn(all.timeout(Duration::from_secs(5)).emit().ready());
        for path in ["/org/acme/team/3", "/org/acme/team/4"] {
            let asked = client.packet_where(|packet| packet.namespace == path).await;
            client.acknowledge(&asked, json!([true])).await;
        }
        let answers = answers.await.expect("no panic");
        assert_eq!(answers.into_iter().map(|(_, answer)| answer).collect::<Vec<_>>(), [Ok(true), Ok(true)]);

        client.leave("/org/acme/team/3").await;
        client.leave("/org/acme/team/4").await;
        eventually("only the child that a handle uses is left", || io.namespaces() == ["/org/acme/team/4"]).await;
        drop(four);
        assert!(io.namespaces().is_empty());
    }
}
