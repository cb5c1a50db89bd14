//! `Flight`: the orders that were sent and are not answered, at most one batch; and what becomes of them if they never are.

use super::{Order, queue::Waiting};
use redis::{Pipeline, Value};
use std::sync::Arc;

/// The orders of a batch for one node. The pipeline has their commands.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) node: String,
    pub(super) pipeline: Pipeline,
    orders: Vec<Waiting>,
}

impl Group {
    fn new(node: String) -> Self {
        let mut pipeline = Pipeline::new();
        pipeline.ignore_errors();
        Group { node, pipeline, orders: Vec::new() }
    }

    fn add(&mut self, mut waiting: Waiting) {
        self.pipeline.add_command(std::mem::take(&mut waiting.order.command));
        self.orders.push(waiting);
    }

    /// The orders as they were.
    fn into_orders(self: Arc<Self>) -> Vec<Waiting> {
        let commands: Vec<_> = self.pipeline.cmd_iter().cloned().collect();
        // Whoever sends them has let go by now, or is about to: then there is a copy for a moment.
        let orders = match Arc::try_unwrap(self) {
            Ok(group) => group.orders,
            Err(group) => group.orders.iter().map(Waiting::copy).collect(),
        };
        let restored = orders.into_iter().zip(commands).map(|(waiting, command)| waiting.with(command));
        restored.collect()
    }
}

/// What is on its way.
#[derive(Debug, Default)]
pub(super) struct Flight {
    groups: Vec<Arc<Group>>,
    /// Their connection broke.
    doubtful: Vec<Waiting>,
}

/// What one group came to.
pub(super) struct Landed {
    /// With the answer of Redis.
    pub(super) answered: Vec<(Waiting, Value)>,
}

impl Flight {
    /// Sets off with a batch: which node each order is for. Gives back those that have none.
    pub(super) fn depart(
        &mut self,
        batch: Vec<Waiting>,
        node: impl Fn(&Order) -> Option<String>,
    ) -> (Vec<Arc<Group>>, Vec<Waiting>) {
        let mut groups: Vec<Group> = Vec::new();
        let mut homeless = Vec::new();
        for waiting in batch {
            let Some(node) = node(&waiting.order) else {
                homeless.push(waiting);
                continue;
            };
            match groups.iter_mut().find(|group| group.node == node) {
                Some(group) => group.add(waiting),
                None => {
                    let mut group = Group::new(node);
                    group.add(waiting);
                    groups.push(group);
                }
            }
        }
        self.groups = groups.into_iter().map(Arc::new).collect();
        (self.groups.clone(), homeless)
    }

    /// A group was answered. If not with one value for each order, it is in doubt.
    pub(super) fn land(&mut self, group: &Arc<Group>, values: Vec<Value>) -> Option<Landed> {
        let at = self.groups.iter().position(|other| Arc::ptr_eq(other, group))?;
        if values.len() != group.orders.len() {
            return None;
        }
        let orders = self.groups.swap_remove(at).into_orders();
        Some(Landed { answered: orders.into_iter().zip(values).collect() })
    }

    /// The connection broke: what was not answered is in doubt. Takes out what nobody will ask about.
    pub(super) fn crash(&mut self) -> Vec<Waiting> {
        let broken = std::mem::take(&mut self.groups).into_iter().flat_map(Group::into_orders);
        let (doubtful, lost): (Vec<_>, Vec<_>) = broken.partition(|waiting| waiting.order.token.is_some());
        self.doubtful.extend(doubtful);
        lost
    }

    /// What is in doubt, for one port: the oldest's. `None` if nothing is.
    pub(super) fn doubts(&self) -> Option<(u64, Vec<Order>)> {
        let port = self.doubtful.first()?.port;
        let of_port = self.doubtful.iter().filter(|waiting| waiting.port == port);
        Some((port, of_port.map(|waiting| waiting.order.clone()).collect()))
    }

    /// Takes out what is in doubt for one port.
    pub(super) fn settled(&mut self, port: u64) -> Vec<Waiting> {
        let (of_port, rest) = std::mem::take(&mut self.doubtful).into_iter().partition(|waiting| waiting.port == port);
        self.doubtful = rest;
        of_port
    }

    /// Takes out everything.
    pub(super) fn take(&mut self) -> Vec<Waiting> {
        let mut all = std::mem::take(&mut self.doubtful);
        all.extend(std::mem::take(&mut self.groups).into_iter().flat_map(Group::into_orders));
        all
    }
}
