//! `Mounts`: which namespaces the server has, by path or by pattern, and how each takes in a client.

use super::{
    auth,
    cluster::{self, ServerHandler},
    namespace::{NamespaceCore, Parent, Settings},
    session::ErasedSession,
};
use crate::{
    contract::{BoxFuture, Namespace},
    extract::{ConnectError, ConnectParts},
    layer::{self, EventLayer},
};
use parking_lot::Mutex;
use std::{
    any::TypeId,
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
};

pub(super) type Accept = dyn Fn(ConnectParts) -> BoxFuture<'static, Result<Box<dyn ErasedSession>, ConnectError>> + Send + Sync;

/// Which paths a mount takes.
pub(super) enum Pattern {
    Path(String),
    /// Segments; `None` stands for a path parameter.
    Segments(Vec<Option<String>>),
    Predicate(Box<dyn Fn(&str) -> bool + Send + Sync>),
}

impl Pattern {
    /// Reads a path as written in `#[namespace("..")]`.
    pub(super) fn parse(path: &str) -> Self {
        if !path.contains('{') {
            return Pattern::Path(path.to_owned());
        }
        let segment = |segment: &str| (!segment.starts_with('{')).then(|| segment.to_owned());
        Pattern::Segments(path.split('/').map(segment).collect())
    }

    /// What no second namespace may have as well.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Pattern::Path(path) => Some(path.clone()),
            Pattern::Segments(segments) => {
                let segments: Vec<&str> = segments.iter().map(|segment| segment.as_deref().unwrap_or("{}")).collect();
                Some(segments.join("/"))
            }
            Pattern::Predicate(_) => None,
        }
    }

    /// What its namespaces are called in metrics.
    pub(super) fn label(&self) -> Arc<str> {
        self.key().map_or_else(|| Arc::from("*"), Arc::from)
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Pattern::Path(own) => own == path,
            Pattern::Segments(own) => {
                let mut given = path.split('/');
                let fits = own.iter().all(|own| match (own, given.next()) {
                    (Some(own), Some(given)) => own == given,
                    (None, Some(given)) => !given.is_empty(),
                    (_, None) => false,
                });
                fits && given.next().is_none()
            }
            Pattern::Predicate(matches) => matches(path),
        }
    }
}

/// The namespaces that an operation is about.
#[derive(Clone)]
pub(super) enum Scope {
    One(Arc<NamespaceCore>),
    /// All children of a dynamic namespace that are in use at the time.
    Family(Arc<Mounts>, Arc<Mount>),
}

impl Scope {
    pub(super) fn namespaces(&self) -> Vec<Arc<NamespaceCore>> {
        match self {
            Scope::One(core) => vec![Arc::clone(core)],
            Scope::Family(mounts, mount) => mounts.children(mount),
        }
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        match self {
            Scope::One(core) => &core.settings,
            Scope::Family(mounts, _) => &mounts.settings,
        }
    }
}

/// A registered namespace, or a family of them.
pub(super) struct Mount {
    pub(super) pattern: Pattern,
    /// The `dyn Trait` it was registered under.
    pub(super) contract: TypeId,
    /// The name of that trait.
    pub(super) name: &'static str,
    pub(super) accept: Box<Accept>,
    /// Whether its contract has an event of this name.
    pub(super) declares: fn(&str) -> bool,
    /// Whether a client can send what its contract wants as `auth`.
    pub(super) can_send_auth: fn() -> bool,
    /// Who handles what other servers emit.
    pub(super) server_events: Option<Arc<ServerHandler>>,
    /// An event between servers that must not have its name, and the trait that has it.
    pub(super) reserved: fn() -> Option<(&'static str, String)>,
}

impl Mount {
    pub(super) fn new<N: Namespace + ?Sized>(pattern: Pattern, accept: Box<Accept>) -> Self {
        Mount {
            pattern,
            contract: TypeId::of::<N>(),
            name: N::NAME,
            accept,
            declares: N::declares,
            can_send_auth: auth::can_be_sent::<N>,
            server_events: None,
            reserved: cluster::reserved::<N>,
        }
    }

    /// Puts a layer around the sessions to come.
    pub(super) fn layered<L: EventLayer>(self, around: Arc<L>) -> Self {
        let accept = self.accept;
        let accept: Box<Accept> = Box::new(move |parts| {
            let (socket, around) = (parts.socket(), Arc::clone(&around));
            let accepted = accept(parts);
            Box::pin(async move { Ok(layer::wrap(&*around, socket, accepted.await?)) })
        });
        Mount { accept, ..self }
    }
}

/// A namespace that came into being when its first client asked for it.
struct Child {
    mount: Arc<Mount>,
    core: Weak<NamespaceCore>,
}

/// All namespaces of a server.
pub(super) struct Mounts {
    mounts: Vec<Arc<Mount>>,
    fixed: HashMap<String, (Arc<Mount>, Arc<NamespaceCore>)>,
    settings: Arc<Settings>,
    /// Children of dynamic namespaces that are in use. A child removes itself when its last user has gone.
    children: Mutex<HashMap<String, Child>>,
    me: Weak<Mounts>,
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mounts").field("fixed", &self.fixed.keys()).finish_non_exhaustive()
    }
}

impl Parent for Mounts {
    fn forget(&self, path: &str) {
        let mut children = self.children.lock();
        if children.get(path).is_some_and(|child| child.core.strong_count() == 0) {
            children.remove(path);
        }
    }
}

impl Mounts {
    pub(super) fn new(mounts: Vec<Mount>, settings: Arc<Settings>) -> Arc<Self> {
        Arc::new_cyclic(|me| {
            let mounts: Vec<Arc<Mount>> = mounts.into_iter().map(Arc::new).collect();
            let fixed = mounts.iter().filter_map(|mount| match &mount.pattern {
                Pattern::Path(path) => {
                    let core = NamespaceCore::new(path.clone(), mount, Arc::clone(&settings), None);
                    Some((path.clone(), (Arc::clone(mount), core)))
                }
                _ => None,
            });
            Mounts { fixed: fixed.collect(), mounts, settings, children: Mutex::default(), me: Weak::clone(me) }
        })
    }

    /// The namespace that was registered under this path.
    pub(super) fn fixed(&self, path: &str) -> Option<(Arc<Mount>, Arc<NamespaceCore>)> {
        self.fixed.get(path).cloned()
    }

    /// The family of namespaces that was registered for this contract.
    pub(super) fn family(&self, contract: TypeId) -> Option<Arc<Mount>> {
        let is_family = |mount: &&Arc<Mount>| mount.contract == contract && !matches!(mount.pattern, Pattern::Path(_));
        self.mounts.iter().find(is_family).map(Arc::clone)
    }

    /// The members of a family that are in use.
    pub(super) fn children(&self, mount: &Arc<Mount>) -> Vec<Arc<NamespaceCore>> {
        let children = self.children.lock();
        children.values().filter(|child| Arc::ptr_eq(&child.mount, mount)).filter_map(|child| child.core.upgrade()).collect()
    }

    /// The namespace of this path, made if a dynamic namespace takes it.
    pub(super) fn find(&self, path: &str) -> Option<(Arc<Mount>, Arc<NamespaceCore>)> {
        if let Some(found) = self.fixed(path) {
            return Some(found);
        }
        let living = |child: &Child| Some((Arc::clone(&child.mount), child.core.upgrade()?));
        if let Some(found) = self.children.lock().get(path).and_then(living) {
            return Some(found);
        }
        // User code runs here, outside of the lock.
        let mount = Arc::clone(self.mounts.iter().find(|mount| mount.pattern.matches(path))?);
        let mut children = self.children.lock();
        if let Some(found) = children.get(path).and_then(living) {
            return Some(found);
        }
        let parent: Weak<dyn Parent> = Weak::clone(&self.me) as Weak<dyn Parent>;
        let core = NamespaceCore::new(path.to_owned(), &mount, Arc::clone(&self.settings), Some(parent));
        children.insert(path.to_owned(), Child { mount: Arc::clone(&mount), core: Arc::downgrade(&core) });
        Some((mount, core))
    }

    /// The namespace of this path, if it is in use or fixed.
    pub(super) fn in_use(&self, path: &str) -> Option<Arc<NamespaceCore>> {
        let child = || self.children.lock().get(path).and_then(|child| child.core.upgrade());
        self.fixed.get(path).map(|(_, core)| Arc::clone(core)).or_else(child)
    }

    /// Connects the namespaces with a path of their own to other servers. Does nothing outside of a runtime.
    pub(super) fn open(&self) {
        if self.settings.hub.is_some() {
            self.fixed.values().for_each(|(_, core)| drop(core.node().map(Arc::clone)));
        }
    }

    /// The namespaces that are in use or fixed.
    pub(super) fn live(&self) -> Vec<Arc<NamespaceCore>> {
        let children: Vec<_> = self.children.lock().values().filter_map(|child| child.core.upgrade()).collect();
        self.fixed.values().map(|(_, core)| Arc::clone(core)).chain(children).collect()
    }
}
