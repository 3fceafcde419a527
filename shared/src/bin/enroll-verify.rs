//! The stand-alone verifier: checks what units and centre hand out, with public keys and files, and nothing else.
//!
//! ```text
//! enroll-verify receipt --log-key KEY --manifest FILE --receipt FILE
//! ok    receipt: batch 1.42 of van-017 is entry 20842 of registry.example/log, received 2026-11-20T21:30:02Z, accepted
//! ```
//!
//! It reads files and prints one line a check; exit code 0 when all hold, 7 when one does not, 2 when the command is
//! not given right, 1 when a file cannot be read. No network, no clock, no configuration, few dependencies (a test
//! counts them), so that somebody who trusts neither unit nor centre can read all of it.
//!
//! **Trust:** the keys on the command line, and nothing that is read.
#![allow(clippy::disallowed_methods, reason = "this program reads its arguments and the files that they name")]

use std::{fmt::Display, io::Read, process::ExitCode, str::FromStr};

use shared::{
    batch::Manifest,
    force::Lives,
    hello::Hello,
    id::KeyName,
    keys::{KeyRef, VerifierKey},
    log::{Body, CheckedHead, Consistency, Head, TlogProof},
    note::Note,
    outcome::Outcome,
    problem::{Code, Lang, Problem},
    receipt::Receipt,
    roster::{Role, Roster, TrustedRoster},
    verify::{CheckedManifest, PayloadHash},
};

const USAGE: &str = "\
usage: enroll-verify CHECK OPTION…

  receipt      --log-key KEY --manifest FILE --receipt FILE      the batch is in the log
  outcome      --log-key KEY --centre-key KEY --manifest FILE --outcome FILE --proof FILE
                                                                 what became of each record, and the log names it
  checkpoint   --log-key KEY --checkpoint FILE                   the log has signed this head
  consistency  --log-key KEY --seen 'SIZE ROOT' --proof FILE     the log goes on from a head that was seen
  entry        --log-key KEY --proof FILE                        an entry is in the log; prints it
  roster       --roster-key KEY --roster FILE…                   each roster is signed as the one before demands
  manifest     --roster-key KEY --roster FILE… --manifest FILE   unit, supervisors and agents have signed
  force        --log-key KEY --roster-key KEY --roster FILE… --proof FILE… --manifest FILE --receipt FILE
                                                                 whose keys count for the batch where the log has it
  payload      --manifest FILE --payload FILE                    the bytes are those that the manifest signs
  note         --key KEY… --note FILE                            exactly these keys have signed, in this order

FILE may be - for standard input; KEY is written name+id+base64.
exit codes: 0 all holds · 7 something does not · 2 wrong arguments · 1 a file cannot be read";

/// Why it ended before its end.
enum Stop {
    /// The command is not given right.
    Usage(String),
    /// A file cannot be read.
    File(String),
    /// A check does not hold.
    Fails(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Fails(problem)
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let check = words.next().unwrap_or_default();
    if matches!(check.as_str(), "" | "help" | "-h" | "--help") {
        println!("{USAGE}");
        return ExitCode::from(if check.is_empty() { 2 } else { 0 });
    }
    if check == "--version" {
        println!("enroll-verify {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let ended = Given::read(words).and_then(|given| run(&check, given));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Usage(why)) => {
            eprintln!("enroll-verify: {why}\n\n{USAGE}");
            ExitCode::from(2)
        }
        Err(Stop::File(why)) => {
            eprintln!("enroll-verify: {why}");
            ExitCode::from(1)
        }
        Err(Stop::Fails(problem)) => {
            println!("FAILS {check}: {problem}");
            eprintln!("{}", problem.told(Lang::En));
            ExitCode::from(7)
        }
    }
}

fn run(check: &str, given: Given) -> Result<(), Stop> {
    match check {
        "receipt" => receipt(given),
        "outcome" => outcome(given),
        "checkpoint" => checkpoint(given),
        "consistency" => consistency(given),
        "entry" => entry(given),
        "roster" => rosters(given),
        "manifest" => manifest(given),
        "force" => force(given),
        "payload" => payload(given),
        "note" => note(given),
        other => Err(Stop::Usage(format!("there is no check called {other}"))),
    }
}

/// One line for a check that holds.
fn holds(what: impl Display) {
    println!("ok    {what}");
}

fn receipt(mut given: Given) -> Result<(), Stop> {
    let (log, manifest, proof) = (given.key("--log-key")?, given.manifest()?, given.file("--receipt")?);
    given.end()?;
    let checked = Receipt::parse(&proof)?.check(&manifest, &log)?;
    let (facts, index, received) = (manifest.facts(), checked.index(), checked.received());
    let state = checked.state();
    holds(format!("receipt: batch {} of {} is entry {index} of {}, received {received}, {state}", facts.place, facts.unit, log.name()));
    Ok(())
}

fn outcome(mut given: Given) -> Result<(), Stop> {
    let (log, centre, manifest) = (given.key("--log-key")?, given.key("--centre-key")?, given.manifest()?);
    let (outcome, proof) = (given.file("--outcome")?, given.file("--proof")?);
    given.end()?;
    let checked = Outcome::parse(&outcome)?.check(&manifest, &centre)?;
    let said = checked.outcome();
    holds(format!("outcome: version {} of batch {}, signed by {}", said.version(), manifest.facts().place, centre.name()));
    let entry = TlogProof::parse(&proof)?.check(&log)?;
    if entry.entry().body != (Body::Outcome { batch: manifest.id(), version: said.version(), blob: said.note().blob() }) {
        return Err(Problem::new(Code::OutcomeInvalid, "the proof is of another entry").into());
    }
    holds(format!("outcome: is entry {} of {}, received {}", entry.index(), log.name(), entry.entry().received));
    for line in said.lines() {
        println!("      {} {} {}", line.number, line.record, line.fate);
    }
    Ok(())
}

fn checkpoint(mut given: Given) -> Result<(), Stop> {
    let (log, bytes) = (given.key("--log-key")?, given.file("--checkpoint")?);
    given.end()?;
    let head = CheckedHead::open(&bytes, &log)?.head();
    holds(format!("checkpoint: {} has signed {head}", log.name()));
    Ok(())
}

fn consistency(mut given: Given) -> Result<(), Stop> {
    let (log, seen, bytes) = (given.key("--log-key")?, given.parsed::<Head>("--seen")?, given.file("--proof")?);
    given.end()?;
    let head = Consistency::parse(&bytes)?.check(seen, &log)?.head();
    holds(format!("consistency: {} goes on from {seen} to {head}", log.name()));
    Ok(())
}

fn entry(mut given: Given) -> Result<(), Stop> {
    let (log, bytes) = (given.key("--log-key")?, given.file("--proof")?);
    given.end()?;
    let checked = TlogProof::parse(&bytes)?.check(&log)?;
    holds(format!("entry: {} of {}, under {}", checked.index(), log.name(), checked.head().head()));
    for line in String::from_utf8_lossy(checked.leaf()).lines() {
        println!("      {line}");
    }
    Ok(())
}

/// The rosters by version, each trusted by the one before, the first one by the key.
fn trusted(given: &mut Given) -> Result<Vec<TrustedRoster>, Stop> {
    let anchor = given.key("--roster-key")?;
    let mut read = given.files("--roster")?.iter().map(|bytes| Roster::parse(bytes)).collect::<Result<Vec<_>, _>>()?;
    read.sort_by_key(|r| r.facts().version);
    let mut trusted: Vec<TrustedRoster> = Vec::new();
    for roster in read {
        let roster = match trusted.last() {
            None => roster.trust_anchored(&anchor)?,
            Some(before) => roster.trust_after(before)?,
        };
        holds(format!("roster: version {} of {}", roster.version(), roster.facts().centre));
        trusted.push(roster);
    }
    Ok(trusted)
}

fn rosters(mut given: Given) -> Result<(), Stop> {
    trusted(&mut given)?;
    given.end()
}

fn manifest(mut given: Given) -> Result<(), Stop> {
    let (rosters, manifest) = (trusted(&mut given)?, given.manifest()?);
    given.end()?;
    let checked = CheckedManifest::check(manifest, &rosters[..])?;
    let facts = checked.facts();
    let (records, withdrawn) = (facts.records().count(), facts.withdrawn().count());
    holds(format!(
        "manifest: batch {} of {} ({}), {records} records, {withdrawn} withdrawn, {}",
        facts.place,
        facts.unit,
        checked.manifest().id(),
        checked.approval_state()
    ));
    Ok(())
}

/// Each roster with the proof of its entry: what they say of every key, for a batch where its receipt says that it stands.
fn force(mut given: Given) -> Result<(), Stop> {
    let (log, proofs) = (given.key("--log-key")?, given.files("--proof")?);
    let rosters = trusted(&mut given)?;
    let (manifest, receipt) = (given.manifest()?, given.file("--receipt")?);
    given.end()?;
    let receipt = Receipt::parse(&receipt)?.check(&manifest, &log)?;
    let entries = proofs.iter().map(|bytes| TlogProof::parse(bytes)?.check(&log)).collect::<Result<Vec<_>, Problem>>()?;
    let mut lives = Lives::default();
    for roster in &rosters {
        let body = Body::Roster { version: roster.version(), blob: roster.note().blob() };
        let entry = entries.iter().find(|entry| entry.entry().body == body);
        let entry =
            entry.ok_or_else(|| Problem::new(Code::RosterUnknown, format!("no proof of the entry of roster {}", roster.version())))?;
        lives.follow(entry.index(), roster.facts());
    }
    let checked = CheckedManifest::check(manifest, &rosters[..])?;
    let agents = checked.facts().records().map(|line| (KeyRef { name: KeyName::from(&line.facts.agent), id: line.key_id() }, Role::Agent));
    let cosigners = checked.cosigners().iter().map(|key| (key.clone(), Role::Supervisor));
    let mut keys: Vec<(KeyRef, Role)> = [(checked.unit_key().clone(), Role::Unit)].into_iter().chain(cosigners).chain(agents).collect();
    keys.sort();
    keys.dedup();
    let mut ended = None;
    for (key, role) in keys {
        // a time that was over when the batch came ends the key there
        let life = lives.of(&key, |until| (receipt.received() > until).then(|| receipt.index()));
        let standing = life.counts(receipt.index(), None);
        if let Some(code) = standing.code(role) {
            ended.get_or_insert_with(|| Problem::new(code, format!("{key}, unless a head from before leads to entry {}", receipt.index())));
            println!("      {role} {key}: does not count at entry {} by its place alone", receipt.index());
        } else {
            holds(format!("force: {role} {key} counts at entry {}", receipt.index()));
        }
    }
    ended.map_or(Ok(()), |problem| Err(problem.into()))
}

/// Piece by piece: a payload has up to 512 MiB.
fn payload(mut given: Given) -> Result<(), Stop> {
    let (manifest, path) = (given.manifest()?, given.value("--payload")?);
    given.end()?;
    let facts = manifest.facts();
    let (mut input, mut whole, mut wrong) = (reader(&path)?, PayloadHash::default(), None);
    for line in facts.records() {
        let mut record = PayloadHash::default();
        each_piece(&mut input.by_ref().take(line.facts.size), &path, |piece| {
            whole.update(piece);
            record.update(piece);
        })?;
        // the digest covers the size: nothing shorter has it
        if record.finish().1.as_bytes() != line.facts.digest.as_bytes() {
            println!("FAILS payload: record {}", line.facts.number);
            wrong = Some(line.facts.number);
        }
    }
    each_piece(&mut input, &path, |piece| whole.update(piece))?;
    if let Some(number) = wrong {
        return Err(Problem::new(Code::RecordDigest, format!("record {number}")).into());
    }
    let (size, digest) = whole.finish();
    if size != facts.payload_size || digest != facts.payload {
        return Err(Problem::new(Code::PayloadCorrupt, format!("{size} bytes")).into());
    }
    holds(format!("payload: {} records, {size} bytes", facts.records().count()));
    Ok(())
}

fn note(mut given: Given) -> Result<(), Stop> {
    let keys = given.all::<VerifierKey>("--key")?;
    let bytes = given.file("--note")?;
    given.end()?;
    let note = Note::parse(&bytes).map_err(Problem::from)?;
    note.verify(&keys.iter().collect::<Vec<_>>()).map_err(Problem::from)?;
    let names: Vec<String> = keys.iter().map(|k| k.name().to_string()).collect();
    let kind = match Hello::parse(&bytes) {
        Ok(hello) => format!("hello {} of {}", hello.facts().counter, hello.facts().sender_name()),
        Err(_) => note.text().lines().next().unwrap_or("").to_owned(),
    };
    holds(format!("note: {kind}, {} signed by {}", note.id(), names.join(", ")));
    Ok(())
}

/// What was given on the command line, by option, in order.
struct Given(Vec<(String, String)>);

impl Given {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Stop> {
        let mut given = Vec::new();
        let mut option: Option<String> = None;
        while let Some(word) = words.next() {
            if word.starts_with("--") {
                let value = words.next().ok_or_else(|| Stop::Usage(format!("{word} needs a value")))?;
                given.push((word.clone(), value));
                option = Some(word);
            } else {
                // a further value of the same option: --roster A B C
                let option = option.clone().ok_or_else(|| Stop::Usage(format!("what is {word}?")))?;
                given.push((option, word));
            }
        }
        Ok(Self(given))
    }

    /// Takes all values of an option.
    fn values(&mut self, option: &str) -> Result<Vec<String>, Stop> {
        let (taken, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0).into_iter().partition(|(name, _)| name == option);
        self.0 = rest;
        let taken: Vec<String> = taken.into_iter().map(|(_, value)| value).collect();
        if taken.is_empty() { Err(Stop::Usage(format!("{option} is missing"))) } else { Ok(taken) }
    }
    /// Takes the one value of an option.
    fn value(&mut self, option: &str) -> Result<String, Stop> {
        let mut values = self.values(option)?;
        match (values.pop(), values.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(Stop::Usage(format!("{option} is given more than once"))),
        }
    }
    fn all<T: FromStr>(&mut self, option: &str) -> Result<Vec<T>, Stop> {
        let read = |text: &String| text.parse().map_err(|_| Stop::Usage(format!("{option}: {text} is not written as it must be")));
        self.values(option)?.iter().map(read).collect()
    }
    fn parsed<T: FromStr>(&mut self, option: &str) -> Result<T, Stop> {
        let text = self.value(option)?;
        text.parse().map_err(|_| Stop::Usage(format!("{option}: {text} is not written as it must be")))
    }
    fn key(&mut self, option: &str) -> Result<VerifierKey, Stop> {
        self.parsed(option)
    }
    fn files(&mut self, option: &str) -> Result<Vec<Vec<u8>>, Stop> {
        self.values(option)?.iter().map(|path| open(path)).collect()
    }
    fn file(&mut self, option: &str) -> Result<Vec<u8>, Stop> {
        open(&self.value(option)?)
    }
    fn manifest(&mut self) -> Result<Manifest, Stop> {
        Ok(Manifest::parse(&self.file("--manifest")?)?)
    }
    /// Nothing may be left: a misspelt option must not silently weaken a check.
    fn end(&self) -> Result<(), Stop> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(Stop::Usage(format!("{name} does not belong here"))))
    }
}

fn reader(path: &str) -> Result<Box<dyn Read>, Stop> {
    if path == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    std::fs::File::open(path).map(|file| Box::new(file) as Box<dyn Read>).map_err(|e| unreadable(path, &e))
}

/// All bytes of a small file.
fn open(path: &str) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    reader(path)?.read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    Ok(bytes)
}

fn each_piece(input: &mut impl Read, path: &str, mut take: impl FnMut(&[u8])) -> Result<(), Stop> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&buffer[..read]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable(path, &e)),
        }
    }
}

fn unreadable(path: &str, e: &std::io::Error) -> Stop {
    Stop::File(format!("{path}: {e}"))
}
