//! A port that no other program is given.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpSocket;

/// A port of the loopback address. While this is alive, Linux gives it to nobody who asks for any
/// free port, and lets a listener bind it that asks for it by its number and allows the reuse of
/// addresses, as those of tokio and of the standard library do.
#[derive(Debug)]
pub struct ReservedPort(TcpSocket);

impl ReservedPort {
    /// Reserves a port that is free.
    ///
    /// # Errors
    /// If none is free.
    pub fn new() -> io::Result<ReservedPort> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(ReservedPort(socket))
    }

    /// Its number.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn number(&self) -> io::Result<u16> {
        Ok(self.0.local_addr()?.port())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_reserved_port_is_bound_by_its_number_alone() {
        let reserved: Vec<ReservedPort> = (0..50).map(|_| ReservedPort::new().unwrap()).collect();
        let numbers: HashSet<u16> = reserved.iter().map(|port| port.number().unwrap()).collect();
        assert_eq!(numbers.len(), reserved.len());
        let others: Vec<TcpListener> =
            (0..500).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let theirs = others.iter().map(|other| other.local_addr().unwrap().port());
        assert_eq!(theirs.filter(|port| numbers.contains(port)).count(), 0);
        for port in numbers {
            let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
            assert!(TcpListener::bind(("127.0.0.1", port)).is_err(), "it has a listener");
            drop(listener);
            bind_when_free(port);
        }
    }

    /// A process that another test starts has a copy of every open socket for the moment between
    /// its fork and its program, so that a port may be taken for a little longer than its listener
    /// lives.
    fn bind_when_free(port: u16) -> TcpListener {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match TcpListener::bind(("127.0.0.1", port)) {
                Err(err) if err.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                    std::thread::yield_now();
                }
                bound => return bound.unwrap(),
            }
        }
    }
}
