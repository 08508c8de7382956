use std::net::{Ipv4Addr, TcpListener};

use bz_kernel::{Rng, platform::SERVICES};

/// Where the ports of a platform begin is a multiple of this, so that two platforms never want the same.
const STEP: u16 = 10;
/// Beyond it the APIs of one platform would meet the admin listeners of another.
const PLACES: u16 = 99;
/// With the offset: held for as long as the platform may use the others.
const RESERVATION: u16 = 8009;
const REDIS: u16 = 8008;

/// The ports of one platform, and of a Redis beside it. Nobody else's, in whatever process, while this value lives.
pub(crate) struct Ports {
    offset: u16,
    _reservation: TcpListener,
}

impl Ports {
    /// Ports on which nobody listens.
    pub(crate) fn reserve() -> Self {
        let first = u16::from_le_bytes(Rng::system().bytes()) % PLACES;
        (0..PLACES)
            .map(|n| STEP * (1 + (first + n) % PLACES))
            .find_map(Self::at)
            .expect("99 platforms are not running at once")
    }

    fn at(offset: u16) -> Option<Self> {
        let reservation = listen(RESERVATION + offset)?;
        let wanted = SERVICES
            .iter()
            .flat_map(|service| [service.port, service.admin_port, service.node_port])
            .chain([REDIS]);
        for port in wanted {
            listen(port + offset)?;
        }
        Some(Self {
            offset,
            _reservation: reservation,
        })
    }

    /// What `--port-offset` is to be.
    pub(crate) const fn offset(&self) -> u16 {
        self.offset
    }

    /// Where a service listens whose port is `port` without an offset.
    pub(crate) const fn of(&self, port: u16) -> u16 {
        port + self.offset
    }

    /// The port for Redis.
    pub(crate) const fn redis(&self) -> u16 {
        REDIS + self.offset
    }
}

fn listen(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}
