//! How long the program takes to its first answer.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Failure;

const STARTS: usize = 11;
const PAUSE: Duration = Duration::from_micros(200);
const LIMIT: Duration = Duration::from_secs(10);

/// The median of some starts, each from the start of the process to its answer to `GET /`.
pub(crate) fn first_answer(program: &Path, app: &Path) -> Result<Duration, Failure> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(one_start(program, app)?);
    }
    times.sort();
    Ok(times[STARTS / 2])
}

fn one_start(program: &Path, app: &Path) -> Result<Duration, Failure> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let started = Instant::now();
    let process = Command::new(program)
        .arg("serve")
        .env_clear()
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .env("FUNCTIONS_APP_ROOT_PATH", app)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut process = Ended(process);
    loop {
        if let Ok(mut connection) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            connection.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
            connection.read_exact(&mut [0; 12])?;
            return Ok(started.elapsed());
        }
        if let Some(status) = process.0.try_wait()? {
            return Err(format!("the program ended: {status}").into());
        }
        if started.elapsed() > LIMIT {
            return Err("the program does not answer".into());
        }
        std::thread::sleep(PAUSE);
    }
}

/// Ends the process when dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
