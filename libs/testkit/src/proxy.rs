//! A TCP proxy that breaks on demand and counts what passes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use bz_kernel::Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// What the proxy does to its connections, the established ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Forwards everything.
    Pass,
    /// The target is gone: established connections are reset, new ones are refused by the operating system.
    Refuse,
    /// Accepts and reads, but forwards nothing until the fault is lifted.
    Hang,
    /// Forwards every piece later, by `latency` and a random part of `jitter`.
    Delay {
        /// The least delay of a piece, in each direction.
        latency: Duration,
        /// The most that is added to it.
        jitter: Duration,
    },
    /// Forwards this many more bytes of answers on each connection, then resets it.
    ResetAfter(u64),
    /// The client sees the end of the answers; what it sends is still forwarded.
    HalfClose,
    /// Accepts, but reads nothing: the senders' buffers fill up.
    StopReading,
}

/// A proxy on a free port of the loopback interface in front of one target. Dropping it closes everything.
pub struct FaultProxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    cut: watch::Sender<()>,
    listening: watch::Receiver<bool>,
    counts: Arc<Counts>,
    acceptor: JoinHandle<()>,
    // Bound but never listening: keeps the port ours while connections are refused.
    _port: TcpSocket,
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    open: AtomicU64,
    asked: AtomicU64,
    answered: AtomicU64,
    turns: AtomicU64,
}

impl FaultProxy {
    /// Starts a proxy that passes everything to `target`, for example `127.0.0.1:5432`.
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn start(target: impl Into<String>) -> Self {
        let port = socket("127.0.0.1:0".parse().expect("an address"));
        let address = port.local_addr().expect("a bound socket has an address");
        let (fault, faults) = watch::channel(Fault::Pass);
        let (cut, cuts) = watch::channel(());
        let (is_listening, mut listening) = watch::channel(false);
        let counts = Arc::<Counts>::default();
        let line = Line {
            target: target.into(),
            faults,
            cuts,
            counts: Arc::clone(&counts),
        };
        let acceptor = tokio::spawn(accept(address, line, is_listening));
        listening
            .wait_for(|now| *now)
            .await
            .expect("the acceptor runs");
        Self {
            address,
            fault,
            cut,
            listening,
            counts,
            acceptor,
            _port: port,
        }
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Switches the fault. Bytes sent after this returned are treated by the new one.
    ///
    /// # Panics
    /// When the proxy's task died.
    pub async fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
        if fault == Fault::Refuse {
            self.cut();
        }
        let mut listening = self.listening.clone();
        listening
            .wait_for(|now| *now == (fault != Fault::Refuse))
            .await
            .expect("the acceptor runs");
    }

    /// Resets every established connection, once.
    pub fn cut(&self) {
        self.cut.send_replace(());
    }

    /// Connections accepted since the start or the last reset of the counts.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.counts.connections.load(SeqCst)
    }

    /// Connections open now.
    #[must_use]
    pub fn open_connections(&self) -> u64 {
        self.counts.open.load(SeqCst)
    }

    /// Bytes read from clients.
    #[must_use]
    pub fn bytes_asked(&self) -> u64 {
        self.counts.asked.load(SeqCst)
    }

    /// Bytes read from the target.
    #[must_use]
    pub fn bytes_answered(&self) -> u64 {
        self.counts.answered.load(SeqCst)
    }

    /// Turns: how often a client sent something and then the target answered. The unit of latency: a request of `n`
    /// turns costs `n` round trips.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.counts.turns.load(SeqCst)
    }

    /// Sets all counts to zero, except the one of open connections.
    pub fn reset_counts(&self) {
        let Counts {
            connections,
            open: _,
            asked,
            answered,
            turns,
        } = &*self.counts;
        for count in [connections, asked, answered, turns] {
            count.store(0, SeqCst);
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseport(true).expect("SO_REUSEPORT exists");
    socket.bind(address).expect("the port is free or ours");
    socket
}

#[derive(Clone)]
struct Line {
    target: String,
    faults: watch::Receiver<Fault>,
    cuts: watch::Receiver<()>,
    counts: Arc<Counts>,
}

async fn accept(address: SocketAddr, mut line: Line, is_listening: watch::Sender<bool>) {
    let mut lines = JoinSet::new();
    let mut listener: Option<TcpListener> = None;
    loop {
        let refuse = *line.faults.borrow_and_update() == Fault::Refuse;
        if refuse {
            listener = None;
        } else if listener.is_none() {
            listener = Some(socket(address).listen(1024).expect("the port is ours"));
        }
        is_listening.send_replace(!refuse);
        tokio::select! {
            biased;
            changed = line.faults.changed() => if changed.is_err() { return },
            Some(_) = lines.join_next() => {}
            Some(Ok((client, _))) = async { Some(listener.as_ref()?.accept().await) } => {
                line.counts.connections.fetch_add(1, SeqCst);
                lines.spawn(serve(client, line.clone()));
            }
        }
    }
}

/// Counts an open connection down when its task ends, however it ends.
struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, SeqCst);
    }
}

async fn serve(mut client: TcpStream, mut line: Line) {
    line.counts.open.fetch_add(1, SeqCst);
    let _open = Open(Arc::clone(&line.counts));
    line.cuts.mark_unchanged();
    let Ok(mut target) = TcpStream::connect(&line.target).await else {
        return reset(&client);
    };
    // Unless told otherwise a proxy must not add delays of its own.
    let _ = (client.set_nodelay(true), target.set_nodelay(true));
    let passed = {
        let asking = AtomicBool::new(false);
        let (from_client, to_client) = client.split();
        let (from_target, to_target) = target.split();
        let pump = |way| Pump {
            way,
            faults: line.faults.clone(),
            counts: &line.counts,
            asking: &asking,
        };
        let asks = pump(Way::Ask).run(from_client, to_target);
        let answers = pump(Way::Answer).run(from_target, to_client);
        tokio::select! {
            biased;
            _ = line.cuts.changed() => Err(Reset),
            passed = async { tokio::try_join!(asks, answers) } => passed.map(|_| ()),
        }
    };
    if passed.is_err() {
        reset(&client);
        reset(&target);
    }
}

/// Makes the coming close a reset (RST) instead of an orderly end (FIN).
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// The connection has to be reset.
struct Reset;

impl From<std::io::Error> for Reset {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Ask,
    Answer,
}

/// One direction of one connection.
struct Pump<'a> {
    way: Way,
    faults: watch::Receiver<Fault>,
    counts: &'a Counts,
    asking: &'a AtomicBool,
}

impl Pump<'_> {
    /// Forwards until the end of the stream, and passes the end on.
    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Reset> {
        let rng = Rng::seeded(1);
        let mut buffer = vec![0; 64 * 1024];
        let mut held = Vec::new();
        let mut allowance = None;
        loop {
            let fault = *self.faults.borrow_and_update();
            match fault {
                Fault::HalfClose if self.way == Way::Answer => return Ok(to.shutdown().await?),
                Fault::ResetAfter(bytes) => _ = allowance.get_or_insert(bytes),
                _ => allowance = None,
            }
            if fault != Fault::Hang && !held.is_empty() {
                to.write_all(&held).await?;
                held.clear();
            }
            let read = tokio::select! {
                biased;
                changed = self.faults.changed() => match changed {
                    Ok(()) => { allowance = None; continue }
                    Err(_) => return Err(Reset),
                },
                read = from.read(&mut buffer), if fault != Fault::StopReading => read?,
            };
            if read == 0 {
                return Ok(to.shutdown().await?);
            }
            let piece = &buffer[..read];
            self.count(piece);
            match fault {
                Fault::Hang => held.extend_from_slice(piece),
                Fault::Delay { latency, jitter } => {
                    tokio::time::sleep(latency + jitter.mul_f64(rng.unit())).await;
                    to.write_all(piece).await?;
                }
                _ => self.forward(piece, &mut to, &mut allowance).await?,
            }
        }
    }

    async fn forward(
        &self,
        piece: &[u8],
        to: &mut WriteHalf<'_>,
        allowance: &mut Option<u64>,
    ) -> Result<(), Reset> {
        let Some(left) = allowance.as_mut().filter(|_| self.way == Way::Answer) else {
            return Ok(to.write_all(piece).await?);
        };
        let passing = piece
            .len()
            .min(usize::try_from(*left).unwrap_or(usize::MAX));
        to.write_all(&piece[..passing]).await?;
        *left -= passing as u64;
        if passing < piece.len() {
            Err(Reset)
        } else {
            Ok(())
        }
    }

    fn count(&self, piece: &[u8]) {
        let bytes = piece.len() as u64;
        match self.way {
            Way::Ask => {
                self.counts.asked.fetch_add(bytes, SeqCst);
                self.asking.store(true, SeqCst);
            }
            Way::Answer => {
                self.counts.answered.fetch_add(bytes, SeqCst);
                if self.asking.swap(false, SeqCst) {
                    self.counts.turns.fetch_add(1, SeqCst);
                }
            }
        }
    }
}
