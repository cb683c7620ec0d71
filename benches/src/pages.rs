//! Pages over HTTP: a few connections that request the same page repeatedly.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use memchr::memmem;

use crate::{
    Outcome,
    server::{Server, own_cpu},
};

/// Number of connections, each with one pending request.
const CONNECTIONS: usize = 8;

pub struct Measured {
    pub requests: u64,
    pub seconds: f64,
    pub server_cpu: Duration,
    pub generator: f64,
    /// Size of the body.
    pub bytes: usize,
    /// Time to the first byte of the response; µs.
    pub first_byte: Histogram<u64>,
}

/// The page and the cookie that a link leads to.
pub fn sign_in(server: &Server, link: &str) -> Outcome<(String, String)> {
    let agent = ureq::Agent::config_builder().max_redirects(0).max_redirects_will_error(false).build().new_agent();
    let answer = agent.get(format!("http://{}/chat?chatId={link}", server.address)).call()?;
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let cookie = header("set-cookie").and_then(|cookie| cookie.split(';').next()).ok_or("no cookie for the link")?;
    let page = header("location").ok_or("the link leads nowhere")?;
    Ok((page.to_owned(), cookie.to_owned()))
}

/// Fetches the page once.
pub fn fetch(server: &Server, page: &str, cookie: &str) -> Outcome<String> {
    let answer = ureq::get(format!("http://{}{page}", server.address)).header("cookie", cookie).call()?;
    Ok(answer.into_body().read_to_string()?)
}

/// Requests `page` for `how_long`, after a warm-up.
pub fn run(server: &Server, page: &str, cookie: &str, warm_up: Duration, how_long: Duration) -> Outcome<Measured> {
    let address = server.address;
    let request = format!("GET {page} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\r\n");
    let bytes = Connection::open(address)?.ask(request.as_bytes())?.1;
    let requests = AtomicU64::new(0);
    let from = Instant::now() + warm_up;
    let until = from + how_long;
    let (histograms, seconds, server_cpu, own) = thread::scope(|scope| -> Outcome<_> {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let work = || -> Outcome<_> {
                        let mut connection = Connection::open(address)?;
                        let mut first_byte = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
                        while Instant::now() < until {
                            let asked = Instant::now();
                            let (first, length) = connection.ask(request.as_bytes())?;
                            if length.abs_diff(bytes) > bytes / 10 {
                                return Err("the page is not always the same".into());
                            }
                            if asked >= from && Instant::now() < until {
                                first_byte.record((first - asked).as_micros().max(1) as u64)?;
                                requests.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        Ok(first_byte)
                    };
                    // These errors are not `Send`.
                    work().map_err(|error| error.to_string())
                })
            })
            .collect();
        thread::sleep(from.saturating_duration_since(Instant::now()));
        let (began, server_before, own_before) = (Instant::now(), server.cpu(), own_cpu());
        thread::sleep(until.saturating_duration_since(Instant::now()));
        let taken = (began.elapsed().as_secs_f64(), server.cpu() - server_before, own_cpu() - own_before);
        let ends = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread died")?);
        Ok((ends.collect::<Result<Vec<_>, String>>()?, taken.0, taken.1, taken.2))
    })?;
    let mut first_byte = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    for histogram in histograms {
        first_byte.add(histogram)?;
    }
    let generator = own.as_secs_f64() / seconds;
    Ok(Measured { requests: requests.into_inner(), seconds, server_cpu, generator, bytes, first_byte })
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream, buffer: vec![0; 256 * 1024] })
    }

    /// The time of the response's first byte, and the length of its body.
    fn ask(&mut self, request: &[u8]) -> Outcome<(Instant, usize)> {
        self.stream.write_all(request)?;
        let mut end = self.stream.read(&mut self.buffer)?;
        let first = Instant::now();
        if !self.buffer[..end].starts_with(b"HTTP/1.1 200") {
            return Err(format!("no page: {}", String::from_utf8_lossy(&self.buffer[..end.min(200)])).into());
        }
        loop {
            if let Some(head) = memmem::find(&self.buffer[..end], b"\r\n\r\n") {
                let body = head + 4;
                let words = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
                match words.lines().find_map(|line| line.strip_prefix("content-length:")) {
                    Some(length) => {
                        let length = length.trim().parse()?;
                        if end - body >= length {
                            return Ok((first, length));
                        }
                    }
                    None if self.buffer[..end].ends_with(b"\r\n0\r\n\r\n") => return Ok((first, end - body)),
                    None => {}
                }
            }
            match self.stream.read(&mut self.buffer[end..])? {
                0 => return Err("a page was cut short".into()),
                read => end += read,
            }
        }
    }
}
