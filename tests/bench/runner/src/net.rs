//! One connection of the load generator: a socket that does not block, what was received and not understood yet, what is to be sent.

use mio::{Interest, Registry, Token, net::TcpStream};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::SocketAddr,
};

/// Local addresses that connections come from: each has some 28 000 ports.
const SOURCES: usize = 40;

/// `EINPROGRESS` of Linux: the connection is being made.
const IN_PROGRESS: i32 = 115;

pub(crate) struct Connection {
    stream: TcpStream,
    rest: Vec<u8>,
    out: Vec<u8>,
    sent: usize,
}

impl Connection {
    /// Begins to connect; `index` chooses the local address.
    pub(crate) fn open(registry: &Registry, token: Token, server: SocketAddr, index: usize) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, 2 + (index % SOURCES) as u8], 0)).into())?;
        match socket.connect(&server.into()) {
            Err(error) if error.raw_os_error() != Some(IN_PROGRESS) && error.kind() != ErrorKind::WouldBlock => {
                return Err(error);
            }
            _ => {}
        }
        let mut stream = TcpStream::from_std(socket.into());
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Connection { stream, rest: Vec::new(), out: Vec::new(), sent: 0 })
    }

    /// What is to be sent is put behind this; see [`flush`](Self::flush).
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Sends what the socket takes. The rest follows when it is writable again, which calls this.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }

    /// Reads once, behind what was left over: the bytes to look at, and whether there may be more. `None`: nothing has come.
    /// What is not understood is given back to [`keep`](Self::keep).
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<(usize, bool)>> {
        let kept = self.rest.len();
        if buffer.len() < 2 * kept {
            buffer.resize(4 * kept, 0);
        }
        buffer[..kept].copy_from_slice(&self.rest);
        loop {
            match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.rest.clear();
                    return Ok(Some((kept + count, kept + count == buffer.len())));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Keeps what is incomplete for the next read; a connection at rest keeps no memory.
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(rest);
        }
    }
}
