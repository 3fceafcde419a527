//! The one thread that writes: takes all waiting jobs, runs them in one transaction, answers after the commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use ground::sqlite;
use rusqlite::Connection;
use shared::problem::{Code, Problem};
use tokio::sync::{oneshot, watch};

use super::failed;

/// Most jobs in one transaction.
const MOST: usize = 256;

/// Hands jobs to the thread; the thread ends when this is dropped and the queue is empty.
pub(super) struct Writer {
    queue: Option<Sender<Box<dyn Job>>>,
    thread: Option<thread::JoinHandle<()>>,
    /// Its other end is the thread's: gone when that has ended.
    alive: watch::Receiver<()>,
}

/// A piece of work that does not know yet whether it will be durable.
trait Job: Send {
    /// Does the work; an error says why its effect is not to be kept.
    fn run(&mut self, connection: &Connection) -> Result<(), Problem>;
    /// Tells the caller, once the fate of the transaction is known.
    fn answer(self: Box<Self>, committed: Result<(), Problem>);
}

struct Work<T, F> {
    job: Option<F>,
    result: Option<Result<T, Problem>>,
    caller: oneshot::Sender<Result<T, Problem>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Problem> {
        let job = self.job.take().expect("run once");
        let result = catch_unwind(AssertUnwindSafe(|| job(connection)));
        let result = result.unwrap_or_else(|_| Err(Problem::new(Code::DatabaseFailed, "a step of the work broke off")));
        let keep = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, committed: Result<(), Problem>) {
        let answer = match (self.result, committed) {
            (Some(result), Ok(())) => result,
            // its own error, where it has one, says more than that of the transaction
            (Some(Err(own)), Err(_)) => Err(own),
            (_, Err(lost)) => Err(lost),
            (None, Ok(())) => Err(Problem::new(Code::DatabaseFailed, "not run")),
        };
        // The caller may have gone away; what it asked for is done all the same.
        let _ = self.caller.send(answer);
    }
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Self {
        let (queue, jobs) = channel();
        let (lives, alive) = watch::channel(());
        let thread = thread::Builder::new().name("database".into()).spawn(move || {
            let _lives = lives;
            serve(&connection, &jobs);
        });
        Self { queue: Some(queue), thread: Some(thread.expect("a thread can be started")), alive }
    }

    /// Returns when nothing is written any more.
    pub(super) async fn stopped(&self) {
        let mut alive = self.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    pub(super) async fn run<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let gone = || Problem::new(Code::DatabaseFailed, "writing has stopped after an error");
        let work = Box::new(Work { job: Some(job), result: None, caller });
        self.queue.as_ref().expect("there until dropped").send(work).map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(connection: &Connection, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(MOST - 1));
        let committed = transact(connection, &mut group);
        let stop = committed.as_ref().is_err_and(|p| p.code == Code::DatabaseFailed);
        for job in group {
            job.answer(committed.clone());
        }
        if stop {
            // Pages that fsync could not write may be gone from the cache: nothing more is built on them.
            tracing::error!("the database could not commit; writing stops until the next start");
            return;
        }
    }
}

/// Runs the group in one transaction. A crash before the commit leaves nothing of it, after it all of it.
fn transact(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), Problem> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed).map_err(|problem| match problem.code {
        Code::Busy => Problem::new(Code::Busy, held(connection)),
        _ => problem,
    })?;
    let done = group.iter_mut().try_for_each(|job| one(connection, job.as_mut()));
    let done = done.and_then(|()| connection.execute_batch("COMMIT").map_err(failed));
    if done.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

/// Whose turn it is.
fn held(connection: &Connection) -> String {
    let writer = connection.path().and_then(|path| sqlite::writer(Path::new(path)));
    writer.map_or_else(|| "database".to_owned(), |writer| format!("the database is written to by {writer}"))
}

fn one(connection: &Connection, job: &mut dyn Job) -> Result<(), Problem> {
    connection.execute_batch("SAVEPOINT job").map_err(failed)?;
    let kept = job.run(connection);
    if connection.is_autocommit() {
        // SQLite gave up the whole transaction (disk full, I/O error), and with it what the others had done in it.
        return kept.and(Err(Problem::new(Code::DatabaseFailed, "the transaction ended within a step of the work")));
    }
    let end = if kept.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end).map_err(failed)
}
