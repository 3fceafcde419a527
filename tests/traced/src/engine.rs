//! The loop over stops: one call at a time is let through, counted, written down, or made to fail.

use std::{
    collections::{BTreeMap, VecDeque},
    env,
    fs::File,
    io::{BufWriter, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::Command,
};

use nix::{
    errno::Errno,
    libc::PTRACE_EVENT_SECCOMP,
    sys::{
        ptrace::{self, Options},
        signal::{Signal, kill, raise},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde_json::json;

use super::{
    Broken, Sure,
    acts::Sight,
    armed::Armed,
    calls::{CALLS, Call},
    events::{Act, Event},
    faults::{Fault, Trigger},
    tracee::Tracee,
};

/// In the child: waits to be traced, puts the filter on and becomes the program. Comes back only with an error.
pub fn step_aside(program: &[String]) -> Sure<()> {
    let (path, arguments) = program.split_first().ok_or_else(|| Broken("no program".into()))?;
    let rules = CALLS.iter().map(|c| (c.number, Vec::new())).collect::<BTreeMap<_, _>>();
    let arch = env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trace(0), arch)?;
    let filter: BpfProgram = filter.try_into()?;
    ptrace::traceme()?;
    raise(Signal::SIGSTOP)?;
    seccompiler::apply_filter(&filter)?;
    Err(Command::new(path).args(arguments).exec().into())
}

/// Follows `child`, which has stepped aside, to the end of it and of all that it started; how it ended.
pub fn follow(child: u32, sight: Sight, faults: Vec<(Trigger, Fault)>, out: &Path) -> Sure<WaitStatus> {
    let leader = Pid::from_raw(i32::try_from(child)?);
    let mut out = BufWriter::new(File::create(out)?);
    writeln!(out, "{}", json!({ "pid": leader.as_raw() }))?;
    out.flush()?;
    match waitpid(leader, Some(WaitPidFlag::WUNTRACED))? {
        WaitStatus::Stopped(_, Signal::SIGSTOP) => {}
        other => return Err(Broken(format!("the child did not step aside: {other:?}"))),
    }
    let children = Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK;
    let stops = Options::PTRACE_O_TRACESECCOMP | Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC;
    ptrace::setoptions(leader, children | stops | Options::PTRACE_O_EXITKILL)?;
    ptrace::cont(leader, None)?;
    let faults = faults.into_iter().map(|(trigger, fault)| Armed::new(trigger, fault)).collect();
    let mut engine = Engine { leader, sight, faults, out, seen: 0, under_way: None, waiting: VecDeque::new(), known: vec![leader] };
    engine.run().inspect_err(|e| {
        // whoever reads the events must learn of it
        let _ = writeln!(engine.out, "{}", json!({ "broken": e.to_string() })).and_then(|()| engine.out.flush());
    })
}

struct Engine {
    leader: Pid,
    sight: Sight,
    faults: Vec<Armed>,
    out: BufWriter<File>,
    seen: u64,
    /// The call that has been let through and has not come back.
    under_way: Option<(Pid, i32, Event)>,
    /// Threads that stand before a call until then, first come first.
    waiting: VecDeque<Pid>,
    known: Vec<Pid>,
}

/// The end of a thread between its stop and our word to it is no error: its own end is reported next.
fn unless_gone(done: nix::Result<()>) -> Sure<()> {
    match done {
        Err(Errno::ESRCH) | Ok(()) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

impl Engine {
    fn run(&mut self) -> Sure<WaitStatus> {
        let mut end = None;
        loop {
            let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Err(Errno::ECHILD) => return end.ok_or_else(|| Broken("no end was seen".into())),
                Err(Errno::EINTR) => continue,
                status => status?,
            };
            match status {
                WaitStatus::PtraceEvent(thread, _, PTRACE_EVENT_SECCOMP) => self.stands_before(thread)?,
                WaitStatus::PtraceSyscall(thread) => self.came_back(thread)?,
                WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, _, _) => {
                    if thread == self.leader {
                        end = Some(status);
                    }
                    self.is_gone(thread)?;
                }
                WaitStatus::PtraceEvent(thread, _, _) => unless_gone(ptrace::cont(thread, None))?,
                WaitStatus::Stopped(thread, signal) => self.was_sent(thread, signal)?,
                _ => {}
            }
        }
    }

    /// A signal goes on to where it was sent, but for the stop that a new thread begins with.
    fn was_sent(&mut self, thread: Pid, signal: Signal) -> Sure<()> {
        let is_new = !self.known.contains(&thread);
        if is_new {
            self.known.push(thread);
        }
        let signal = (!(is_new && signal == Signal::SIGSTOP)).then_some(signal);
        // a call that is under way still has to come back to us
        if self.under_way.as_ref().is_some_and(|(t, _, _)| *t == thread) {
            return unless_gone(ptrace::syscall(thread, signal));
        }
        unless_gone(ptrace::cont(thread, signal))
    }

    fn stands_before(&mut self, thread: Pid) -> Sure<()> {
        self.waiting.push_back(thread);
        self.let_through()
    }

    fn let_through(&mut self) -> Sure<()> {
        while self.under_way.is_none() {
            let Some(thread) = self.waiting.pop_front() else { return Ok(()) };
            match Tracee::stopped(thread) {
                Ok(tracee) => self.begin(tracee)?,
                Err(Errno::ESRCH) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn begin(&mut self, tracee: Tracee) -> Sure<()> {
        let call = Call::of(tracee.number());
        let Some((call, act)) = call.map(|c| Ok::<_, Broken>((c, self.sight.act(&tracee, c)?))).transpose()? else {
            return unless_gone(ptrace::cont(tracee.thread, None));
        };
        let Some(act) = act else { return unless_gone(ptrace::cont(tracee.thread, None)) };
        self.seen += 1;
        let fault = self.faults.iter_mut().find_map(|f| f.meets(&act));
        let tell = if let Act::Tell { len, .. } = &act { Some(i64::try_from(*len)?) } else { None };
        let thread = tracee.thread;
        let mut event = Event { n: self.seen, thread: thread.as_raw(), call: call.name.to_owned(), act, result: 0, injected: fault };
        if let Some(fault) = fault {
            return self.strike(tracee, event, fault);
        }
        if let Some(len) = tell {
            // it may wait for somebody who reads: nobody waits for it here
            event.result = len;
            event.write(&mut self.out)?;
            return unless_gone(ptrace::cont(thread, None));
        }
        self.under_way = Some((thread, tracee.int(0), event));
        unless_gone(ptrace::syscall(thread, None))
    }

    fn strike(&mut self, tracee: Tracee, mut event: Event, fault: Fault) -> Sure<()> {
        let Some(errno) = fault.errno() else {
            event.write(&mut self.out)?;
            let own = tracee.process().filter(|p| *p != self.leader);
            // who stands at a stop dies there: its call does not happen
            return [Some(self.leader), own].into_iter().flatten().try_for_each(|p| unless_gone(kill(p, Signal::SIGKILL)));
        };
        event.result = -i64::from(errno);
        event.write(&mut self.out)?;
        unless_gone(tracee.answer(event.result))?;
        unless_gone(ptrace::cont(tracee.thread, None))
    }

    fn came_back(&mut self, thread: Pid) -> Sure<()> {
        let Some((_, fd, mut event)) = self.under_way.take_if(|(t, _, _)| *t == thread) else {
            return unless_gone(ptrace::cont(thread, None));
        };
        match Tracee::stopped(thread) {
            Ok(tracee) => {
                event.result = tracee.result();
                event.act.settle(&tracee, fd, event.result)?;
                event.write(&mut self.out)?;
            }
            Err(Errno::ESRCH) => event.write(&mut self.out)?,
            Err(e) => return Err(e.into()),
        }
        unless_gone(ptrace::cont(thread, None))?;
        self.let_through()
    }

    fn is_gone(&mut self, thread: Pid) -> Sure<()> {
        self.known.retain(|t| *t != thread);
        self.waiting.retain(|t| *t != thread);
        // ended from outside in mid-call: it may have taken effect or not; the run is over for this process
        if let Some((_, _, mut event)) = self.under_way.take_if(|(t, _, _)| *t == thread) {
            event.result = i64::MIN;
            event.write(&mut self.out)?;
        }
        self.let_through()
    }
}
