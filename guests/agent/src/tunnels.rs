//! Connections that the guest makes to a port of 127.0.0.1 and that end at the host. Whoever answers there, it is not us.

use crate::link::{Link, set_nonblocking};
use crate::sink::Sink;
use crate::wire::{Malformed, Reader, ask, tell};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, accept_with, bind, listen, shutdown, socket_with};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

const WINDOW: u64 = 256 << 10;
const PIECE_BYTES: usize = 64 << 10;
const MOST: usize = 256;

struct Connection {
    fd: OwnedFd,
    sink: Sink,
    credit: u64,
    heard_all: bool,
    said_all: bool,
}

#[derive(Default)]
pub struct Tunnels {
    listeners: Vec<(OwnedFd, u32)>,
    connections: BTreeMap<u32, Connection>,
    last: u32,
}

impl Tunnels {
    pub fn listen(&mut self, port: u32) -> Result<(), Errno> {
        let number = u16::try_from(port).map_err(|_| Errno::INVAL)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, number))?;
        listen(&socket, 128)?;
        self.listeners.push((socket, port));
        Ok(())
    }

    pub fn interests<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        if self.connections.len() < MOST {
            fds.extend(self.listeners.iter().map(|(fd, _)| PollFd::new(fd, PollFlags::IN)));
        }
        for connection in self.connections.values() {
            let reads = connection.credit > 0 && !connection.heard_all;
            let writes = !connection.said_all && (!connection.sink.is_idle() || connection.sink.is_over());
            let flags = [(reads, PollFlags::IN), (writes, PollFlags::OUT)];
            let wanted =
                flags.iter().filter(|(wanted, _)| *wanted).fold(PollFlags::empty(), |all, (_, flag)| all | *flag);
            if !wanted.is_empty() {
                fds.push(PollFd::new(&connection.fd, wanted));
            }
        }
    }

    pub fn obey(&mut self, kind: u8, id: u32, reader: &mut Reader) -> Result<(), Malformed> {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        match kind {
            ask::TUNNEL_DATA => connection.sink.push(reader.rest()),
            ask::TUNNEL_END => connection.sink.end(),
            ask::TUNNEL_CREDIT => connection.credit = connection.credit.saturating_add(reader.u32()?.into()),
            // What is on its way to the guest gets there all the same.
            _ => {
                connection.sink.end();
                connection.heard_all = true;
            }
        }
        Ok(())
    }

    pub fn pump(&mut self, link: &mut Link) {
        self.accept(link);
        let mut over = Vec::new();
        for (id, connection) in &mut self.connections {
            match connection.pump(*id, link) {
                Ok(()) if connection.heard_all && connection.said_all => over.push(*id),
                Ok(()) => {}
                Err(_) => {
                    link.send(tell::TUNNEL_CLOSE, *id, &[]);
                    over.push(*id);
                }
            }
        }
        for id in over {
            self.connections.remove(&id);
        }
    }

    fn accept(&mut self, link: &mut Link) {
        for (listener, port) in &self.listeners {
            while self.connections.len() < MOST && !link.full() {
                let Ok(fd) = accept_with(listener, SocketFlags::CLOEXEC) else { break };
                if set_nonblocking(&fd).is_err() {
                    continue;
                }
                self.last = self.last.wrapping_add(1);
                link.send(tell::TUNNEL_OPEN, self.last, &[&port.to_le_bytes()]);
                let connection =
                    Connection { fd, sink: Sink::default(), credit: WINDOW, heard_all: false, said_all: false };
                self.connections.insert(self.last, connection);
            }
        }
    }
}

impl Connection {
    fn pump(&mut self, id: u32, link: &mut Link) -> Result<(), Errno> {
        if !self.said_all {
            let taken = self.sink.write(&self.fd);
            if taken.bytes > 0 {
                link.send(tell::TUNNEL_CREDIT, id, &[&(taken.bytes as u32).to_le_bytes()]);
            }
            if taken.over {
                if !self.sink.is_over() {
                    return Err(Errno::PIPE);
                }
                shutdown(&self.fd, Shutdown::Write)?;
                self.said_all = true;
            }
        }
        let mut piece = [0; PIECE_BYTES];
        while self.credit > 0 && !self.heard_all && !link.full() {
            let most = piece.len().min(self.credit as usize);
            match rustix::io::read(&self.fd, &mut piece[..most]) {
                Ok(0) => {
                    self.heard_all = true;
                    link.send(tell::TUNNEL_END, id, &[]);
                }
                Ok(read) => {
                    self.credit -= read as u64;
                    link.send(tell::TUNNEL_DATA, id, &[&piece[..read]]);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
