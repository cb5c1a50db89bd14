//! One admin: what the page asks for.

use super::desk::Desk;
use crate::{
    contract::{Incoming, Outcome, RawArgs, Rejection, Service, Untyped},
    server::{Broadcast, NamespaceHandle},
};
use serde_json::Value;
use std::{future::Future, sync::Arc};

/// The session of an admin. While there is one, statistics are sent.
pub(super) struct Panel {
    desk: Arc<Desk>,
}

impl Panel {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        desk.enter();
        Panel { desk }
    }

    fn act(&self, event: &Incoming) -> Result<(), Rejection> {
        event.validate()?;
        let args = event.raw_args();
        match event.name() {
            "emit" => {
                let (to, filter) = self.namespace(&args, 1)?;
                let name: String = args.get(2)?;
                let rest = (3..args.len()).map(|at| args.get(at)).collect::<Result<Vec<Value>, _>>()?;
                let sent = match filter {
                    Some(filter) => to.to(filter).emit_raw(&name, rest),
                    None => to.emit_raw(&name, rest),
                };
                return sent.map_err(|error| Rejection::new(error.to_string()));
            }
            "join" => {
                let room: String = args.get(1)?;
                match self.addressed(&args, 2)? {
                    (_, Some(some)) => some.sockets_join(room),
                    (all, None) => all.sockets_join(room),
                }
            }
            "leave" => {
                let room: String = args.get(1)?;
                match self.addressed(&args, 2)? {
                    (_, Some(some)) => some.sockets_leave(room),
                    (all, None) => all.sockets_leave(room),
                }
            }
            "_disconnect" => {
                let close: Option<bool> = args.get(1)?;
                match self.addressed(&args, 2)? {
                    (_, Some(some)) => some.disconnect_sockets(close.unwrap_or_default()),
                    (all, None) => all.disconnect_sockets(close.unwrap_or_default()),
                }
            }
            _ => return Err(Rejection::new("admins do not ask for that")),
        }
        Ok(())
    }

    /// The namespace of the first argument, and the room at `at`, which may be missing.
    fn namespace(&self, args: &RawArgs<'_>, at: usize) -> Result<(NamespaceHandle<Untyped>, Option<String>), Rejection> {
        let path: String = args.get(0)?;
        let namespace = self.desk.namespace(&path).ok_or_else(|| Rejection::new("there is no such namespace"))?;
        let filter = if at < args.len() { args.get::<Option<String>>(at)? } else { None };
        Ok((namespace, filter.filter(|filter| !filter.is_empty())))
    }

    fn addressed(
        &self,
        args: &RawArgs<'_>,
        at: usize,
    ) -> Result<(NamespaceHandle<Untyped>, Option<Broadcast<Untyped>>), Rejection> {
        let (all, filter) = self.namespace(args, at)?;
        let some = filter.map(|filter| all.to(filter));
        Ok((all, some))
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.desk.leave();
    }
}

impl Service for Panel {
    fn event(self: Arc<Self>, event: Incoming) -> impl Future<Output = Outcome> + Send {
        let done = match self.desk.is_read_only() {
            true => Err(Rejection::new("admins may only look")),
            false => self.act(&event),
        };
        std::future::ready(done.map_or_else(Outcome::from, |()| Outcome::Done(None)))
    }
}
