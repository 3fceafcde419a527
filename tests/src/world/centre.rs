//! A centre: founded by `sync-server init`, served by a child process that is restarted and killed by its own id.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Broken, Plan, Program, Ran, Sure, Unit, until};
use crate::tracer::Tracing;

/// The passphrase of the recovery identity.
pub const RECOVERY: &str = "quarry lantern eleven oboe thistle";
/// The passphrase of the auditor identity.
pub const AUDITOR: &str = "violet anchor hamster dune sextant";

const PLAIN: &[&str] = &["serve", "--plain-http", "--listen", "127.0.0.1:0"];

/// A centre.
pub struct Centre {
    /// Its data folder.
    pub data: PathBuf,
    /// Where the recovery identity, the auditor identity and the roster key lie.
    pub safe: PathBuf,
    /// The key that units are given.
    pub roster_key: String,
    /// The log's key.
    pub log_key: String,
    /// The certificate that units are given.
    pub certificate: PathBuf,
    program: Program,
    serving: Option<Serving>,
    plain: bool,
    log: PathBuf,
}

/// A server that runs.
pub struct Serving {
    child: Child,
    address: SocketAddr,
    /// The server's own process id: the child may be its tracer.
    pid: u32,
}

impl Centre {
    /// Founds it in `folder`.
    pub fn found(folder: &Path, plan: &Plan) -> Sure<Self> {
        let (data, safe) = (folder.join("centre"), folder.join("safe"));
        fs::create_dir_all(&safe)?;
        let (own, others) = (safe.join("recovery.passphrase"), safe.join("auditor.passphrase"));
        fs::write(&own, RECOVERY)?;
        fs::write(&others, AUDITOR)?;
        let program = Program::new("sync-server", &["--json", "--data-dir", text(&data)?])?;
        let place = |name: &str| safe.join(name);
        let (recovery, auditor, roster) = (place("recovery.identity"), place("auditor.identity"), place("roster.key"));
        let retention = plan.retention.to_string();
        let ran = program.run(&[
            "init",
            "--centre",
            "registry.example",
            "--recovery",
            text(&recovery)?,
            "--auditor",
            text(&auditor)?,
            "--roster-key",
            text(&roster)?,
            "--recovery-passphrase-file",
            text(&own)?,
            "--auditor-passphrase-file",
            text(&others)?,
            "--recipient-kind",
            plan.kind(),
            "--approval",
            plan.approval,
            "--retention",
            &retention,
        ])?;
        let ran = ran.ok()?;
        Ok(Self {
            roster_key: ran.text("roster_key")?,
            log_key: ran.text("log_key")?,
            certificate: ran.text("certificate")?.into(),
            data,
            safe,
            program,
            serving: None,
            plain: false,
            log: folder.join("serve.log"),
        })
    }

    /// One that was founded in `folder`, or in another that this is a copy of, with these keys of roster and log.
    pub fn again(folder: &Path, roster_key: String, log_key: String) -> Sure<Self> {
        let data = folder.join("centre");
        Ok(Self {
            safe: folder.join("safe"),
            roster_key,
            log_key,
            certificate: data.join("keys").join("tls.crt"),
            program: Program::new("sync-server", &["--json", "--data-dir", text(&data)?])?,
            data,
            serving: None,
            plain: false,
            log: folder.join("serve.log"),
        })
    }

    /// A copy of this centre whose data lies in another folder.
    pub fn elsewhere(&self, data: &Path) -> Sure<Self> {
        Ok(Self {
            data: data.to_owned(),
            safe: self.safe.clone(),
            roster_key: self.roster_key.clone(),
            log_key: self.log_key.clone(),
            certificate: self.certificate.clone(),
            program: Program::new("sync-server", &["--json", "--data-dir", text(data)?])?,
            serving: None,
            plain: false,
            log: data.with_extension("log"),
        })
    }

    /// From the next command on, the copies of the programs in this folder.
    pub fn run_copies(&mut self, folder: &Path) -> Sure<()> {
        self.program = self.program.copied(folder)?;
        Ok(())
    }

    /// The program with the flags of this centre.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// From the next command on, the test build with these switches; with none, the program itself again.
    pub fn sabotage(&mut self, switches: &[&str]) -> Sure<()> {
        self.program = self.program.sabotaged(switches)?;
        Ok(())
    }

    /// Runs a command of this centre.
    pub fn run(&self, args: &[&str]) -> Sure<Ran> {
        self.program.run(args)
    }

    /// Starts to serve, on a free port; nothing when it does already.
    pub fn serve(&mut self) -> Sure<()> {
        if self.serving.is_none() {
            let command = self.program.command(self.serve_args());
            self.serving = Some(Serving::start(command, &self.log)?);
        }
        Ok(())
    }

    /// Starts to serve plain HTTP, on a free port.
    pub fn serve_plain(&mut self) -> Sure<()> {
        let command = self.program.command(PLAIN);
        self.serving = Some(Serving::start(command, &self.log)?);
        Ok(())
    }

    /// Whenever it serves from now on, it is plain HTTP: what leaves it can be read in a recording.
    pub fn speak_plainly(&mut self) {
        self.plain = true;
    }

    fn serve_args(&self) -> &'static [&'static str] {
        if self.plain { PLAIN } else { &["serve", "--listen", "127.0.0.1:0"] }
    }

    /// Id of the process that serves.
    pub fn pid(&self) -> Sure<u32> {
        self.serving.as_ref().map(|s| s.child.id()).ok_or_else(|| Broken("the centre does not serve".into()))
    }

    /// Starts to serve under another program; gives what was said when it ended before it listened.
    pub fn serve_under(&mut self, wrapper: &[&str]) -> Sure<()> {
        let command = self.program.command_under(wrapper, self.serve_args());
        self.serving = Some(Serving::start(command, &self.log)?);
        Ok(())
    }

    /// Starts to serve under the tracer; gives what was said when it ended before it listened.
    pub fn serve_traced(&mut self, tracing: &Tracing) -> Sure<()> {
        let wrapper = tracing.wrapper()?;
        self.serve_under(&wrapper.iter().map(String::as_str).collect::<Vec<_>>())?;
        if let Some(serving) = &mut self.serving {
            serving.pid = tracing.pid()?;
        }
        Ok(())
    }

    /// Tries to serve where it should be refused.
    pub fn serve_refused(&self) -> Sure<Ran> {
        self.program.run(&["serve", "--listen", "127.0.0.1:0"])
    }

    /// Where it listens.
    pub fn address(&self) -> Sure<SocketAddr> {
        self.serving.as_ref().map(|s| s.address).ok_or_else(|| Broken("the centre does not serve".into()))
    }

    /// Ends the server as an operator would, and waits for it.
    pub fn stop(&mut self) -> Sure<()> {
        let Some(mut serving) = self.serving.take() else { return Ok(()) };
        serving.signal(Signal::TERM)?;
        let status = serving.child.wait()?;
        if status.success() { Ok(()) } else { Err(Broken(format!("serve ended with {status}: {}", self.said()))) }
    }

    /// Asks the server to end, however it does; one that has not within a minute is an error.
    pub fn end(&mut self) -> Sure<()> {
        let Some(mut serving) = self.serving.take() else { return Ok(()) };
        if serving.child.try_wait()?.is_none() {
            serving.signal(Signal::TERM)?;
        }
        until("the server's end", || Ok(serving.child.try_wait()?))?;
        Ok(())
    }

    /// Ends the server in mid-sentence.
    pub fn kill(&mut self) -> Sure<()> {
        let Some(mut serving) = self.serving.take() else { return Ok(()) };
        if serving.child.try_wait()?.is_none() {
            serving.signal(Signal::KILL)?;
        }
        serving.child.wait()?;
        Ok(())
    }

    /// Whether the server has ended by itself, or by a signal of somebody else.
    pub fn has_died(&mut self) -> Sure<bool> {
        let Some(serving) = &mut self.serving else { return Ok(true) };
        let dead = serving.child.try_wait()?.is_some();
        if dead {
            self.serving = None;
        }
        Ok(dead)
    }

    /// What the server wrote to standard error.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Admits a unit, its agent and its supervisor.
    pub fn admit(&self, unit: &Unit) -> Sure<()> {
        self.run(&["unit", "admit", text(&unit.data.join("unit.request"))?, "--region", "04"])?.demand("admitting the unit")?;
        for name in [&unit.agent, &unit.supervisor] {
            let role = if name.starts_with("supervisor") { "supervisor" } else { "agent" };
            self.run(&[role, "admit", text(&unit.data.join(format!("{name}.request")))?])?.demand("admitting its people")?;
        }
        Ok(())
    }

    /// Everything verified from nothing; the summary.
    pub fn fsck(&self) -> Sure<Value> {
        let ran = self.run(&["fsck"])?.ok()?;
        if ran.summary()["fsck"] == "clean" { Ok(ran.summary().clone()) } else { Err(ran.broken("fsck is not clean")) }
    }
}

impl Serving {
    fn start(mut command: Command, log: &Path) -> Sure<Self> {
        command.stderr(File::options().create(true).append(true).open(log)?).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let out = child.stdout.take().ok_or_else(|| Broken("no standard output".into()))?;
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // nobody listens any more once it listens
                let _ = tell.send(line);
            }
        });
        let first = told.recv_timeout(Duration::from_mins(1));
        let url = first.ok().and_then(|l| serde_json::from_str::<Value>(&l).ok()).and_then(|v| v["url"].as_str().map(str::to_owned));
        let address = url.as_deref().and_then(|u| u.split_once("//")).and_then(|(_, a)| a.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Broken(format!("serve did not say where it listens: {}", fs::read_to_string(log).unwrap_or_default())));
        };
        let pid = child.id();
        Ok(Self { child, address, pid })
    }

    fn signal(&self, signal: Signal) -> Sure<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).ok_or_else(|| Broken("no process id".into()))?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> Sure<&str> {
    path.to_str().ok_or_else(|| Broken("a path that is no text".into()))
}
