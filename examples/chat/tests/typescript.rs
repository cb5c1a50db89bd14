//! The page's TypeScript is that of the contract. After a change, `SOCKETIO_UPDATE=1 cargo test -p chat-example` rewrites it.

use chat_example::contract::{Chat, LoginError};
use socketio::typescript::Bindings;

#[test]
fn the_page_knows_the_contract() {
    Bindings::new().namespace::<dyn Chat>().include::<LoginError>().deny_warnings().check("web/src/socket.gen.ts");
}
