//! A dishonest unit: real keys, admitted by the real centre, and software of its own over the wire.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use reqwest::{Certificate, Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use shared::{
    batch::{Facts, Line, Manifest, RecordLine},
    form::{FIRST, Form},
    hello::{Answer, AnswerFacts, Facts as HelloFacts, Hello, Path, Sender, UnitStand},
    id::{BatchId, Digest, Member, Number, Place, Transaction},
    keys::Signer,
    log::{Consistency, Head},
    note::Note,
    outcome::{Outcome, OutcomeLine},
    receipt::{CheckedReceipt, Receipt},
    record::{Record, Target},
    roster::{AgeRecipient, Facts as RosterFacts, RecipientKind, Role, Roster, request::AgentRequest, request::UnitRequest},
    sample::Kind,
    seal::{Identity, Recipients},
    time::Second,
};
use tokio::runtime::Runtime;

use super::{Broken, Sure, World, path_text, until};
use crate::defects::{Forged, Workshop};

/// A dishonest unit.
pub struct Rogue {
    /// Its name.
    pub name: Member,
    /// Its key.
    pub unit: Signer,
    /// Its agent's key, whose name is `<unit>-agent`.
    pub agent: Signer,
    /// Its supervisor's key, whose name is `<unit>-supervisor`.
    pub supervisor: Signer,
    /// The roster that it goes by.
    pub roster: RosterFacts,
    /// Makes its records.
    pub workshop: Workshop,
    /// Counter of its last hello.
    pub counter: u64,
    /// Its newest batch.
    pub head: Option<(Place, BatchId)>,
    number: u64,
    epoch: u32,
    last: Option<Manifest>,
    seen: Head,
    consistency: String,
    token: Option<String>,
    client: Client,
    base: String,
    runtime: Runtime,
}

/// What the centre said to a call.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
    /// The offset that it named.
    pub offset: Option<u64>,
}

impl Reply {
    /// The problem code, where there is one.
    pub fn code(&self) -> Option<String> {
        serde_json::from_slice::<Value>(&self.body).ok()?["code"].as_str().map(str::to_owned)
    }
    /// It must be refused with this code.
    pub fn refused(&self, code: &str) {
        assert_eq!(self.code().as_deref(), Some(code), "{self:?}");
        assert!(self.status.is_client_error() || self.status.is_server_error(), "{self:?}");
        assert_eq!(self.offset, None, "no offset on an error");
    }
    /// It must be done.
    pub fn done(&self) {
        assert!(self.status.is_success(), "{} {}", self.status, String::from_utf8_lossy(&self.body));
    }
}

fn now() -> Second {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Second::from_unix(i64::try_from(since.as_secs()).expect("soon"))
}

fn signer(name: &Member) -> Signer {
    Signer::from_seed(name.into(), Digest::of(name.as_str().as_bytes()).as_bytes())
}

/// A unit's name, its agent's, its supervisor's.
fn members(name: &str) -> Sure<[Member; 3]> {
    let member = |text: String| text.parse::<Member>().map_err(|_| Broken(format!("{text} is no name")));
    Ok([member(name.to_owned())?, member(format!("{name}-agent"))?, member(format!("{name}-supervisor"))?])
}

/// The request of a key that counts at every unit.
pub fn person(role: Role, name: &Member, recipient: Option<AgeRecipient>, signer: &Signer) -> Note {
    AgentRequest { role, name: name.clone(), unit: None, key: signer.public().clone(), recipient }.sign(signer)
}

impl Rogue {
    /// Admits its unit, agent and supervisor, and says hello.
    pub fn admitted(world: &World, name: &str) -> Sure<Self> {
        let [name, agent, supervisor] = members(name)?;
        let keys = [&name, &agent, &supervisor].map(signer);
        let cards =
            AgeRecipient::from(&Identity::from_seed(RecipientKind::X25519, Digest::of(name.as_str().as_bytes()).as_bytes()).recipient());
        let notes = [
            UnitRequest::sign(&name, &keys[0]),
            person(Role::Agent, &agent, None, &keys[1]),
            person(Role::Supervisor, &supervisor, Some(cards), &keys[2]),
        ];
        for (note, kind) in notes.iter().zip(["unit", "agent", "supervisor"]) {
            let file = world.path().join(format!("{name}.request"));
            fs::write(&file, note.as_bytes())?;
            world.centre.run(&[kind, "admit", path_text(&file)?])?.ok()?;
        }
        Self::again(world, name.as_str(), 0)
    }

    /// One that was admitted before and has said so many hellos says the next one.
    pub fn again(world: &World, name: &str, hellos: u64) -> Sure<Self> {
        let members = members(name)?;
        let mut rogue = Self::stranger(world, &members[0], members.each_ref().map(signer))?;
        rogue.counter = hellos;
        let state = rogue.hello()?.state;
        if state == shared::hello::State::Ok { Ok(rogue) } else { Err(Broken(format!("hello: {state:?}"))) }
    }

    /// Keys of a known name on other hardware: `salt` makes them others.
    pub fn keys(name: &str, salt: &str) -> Sure<Spare> {
        let signers =
            members(name)?.map(|member| Signer::from_seed((&member).into(), Digest::of(format!("{member} {salt}").as_bytes()).as_bytes()));
        Ok(Spare { name: members(name)?[0].clone(), signers })
    }

    /// Goes by the newest roster from now on.
    pub fn follow(&mut self, world: &World) -> Sure<()> {
        let shown = world.centre.run(&["roster", "show"])?.ok()?.text("note")?;
        self.roster = Roster::parse(shown.as_bytes())?.facts().clone();
        self.workshop.roster = self.roster.version;
        Ok(())
    }

    /// The manifest that was closed last.
    pub fn last(&self) -> Option<Manifest> {
        self.last.clone()
    }

    /// The bytes of a hello with a counter and a head of its choice, whatever they claim.
    pub fn signed_hello(&self, counter: u64, head: Option<(Place, BatchId)>) -> Sure<Vec<u8>> {
        let honest = self.hello_note(counter, None)?;
        let text = honest.note().text().to_owned();
        let text = match head {
            Some((place, id)) => text.replace("head none", &format!("head {place} {id}")),
            None => text,
        };
        Ok(Note::sign(&text, &[&self.unit]).as_bytes().to_vec())
    }

    /// With the newest roster, whoever it names; has not said hello.
    pub fn stranger(world: &World, name: &Member, [unit, agent, supervisor]: [Signer; 3]) -> Sure<Self> {
        let shown = world.centre.run(&["roster", "show"])?.ok()?.text("note")?;
        let roster = Roster::parse(shown.as_bytes())?.facts().clone();
        let recipient = |r: &AgeRecipient| r.as_str().parse().map_err(|_| Broken("a recipient".into()));
        let recipients = Recipients::new(recipient(&roster.recipients.working)?, recipient(&roster.recipients.recovery)?)?;
        let (form, hash) = (Form::parse(FIRST[2])?, Digest::of(name.as_str().as_bytes()));
        // people of its own: nobody else's duplicates
        let seed = hash.as_bytes()[..7].iter().fold(0, |all, &byte| all << 8 | u64::from(byte));
        let agent_name = agent.public().name().as_str().parse().map_err(|_| Broken("a name".into()))?;
        let workshop = Workshop::new(name.clone(), agent_name, recipients, form, roster.version, now(), seed);
        // a second call finds it installed
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = Certificate::from_pem_bundle(&fs::read(&world.centre.certificate)?)?;
        Ok(Self {
            name: name.clone(),
            unit,
            agent,
            supervisor,
            workshop,
            roster,
            counter: 0,
            head: None,
            number: 0,
            epoch: 1,
            last: None,
            seen: Head::EMPTY,
            consistency: String::new(),
            token: None,
            // sealing takes its time, and the centre gives an idle connection up after 5 s
            client: Client::builder().tls_certs_only(ca).http1_only().pool_max_idle_per_host(0).build()?,
            base: format!("https://{}/v1/", world.centre.address()?),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        })
    }

    /// Says the next hello and checks the answer, as a unit does.
    pub fn hello(&mut self) -> Sure<AnswerFacts> {
        self.counter += 1;
        let counter = self.counter;
        self.say(counter, self.head)
    }

    /// Says a hello with a counter and a head of its choice.
    pub fn say(&mut self, counter: u64, head: Option<(Place, BatchId)>) -> Sure<AnswerFacts> {
        let hello = self.hello_note(counter, head)?;
        let reply = self.send(self.client.post(format!("{}hello", self.base)).body(hello.note().as_bytes().to_vec()))?;
        reply.done();
        let body: Value = serde_json::from_slice(&reply.body)?;
        let part = |key: &str| body[key].as_str().map(|t| t.as_bytes().to_vec()).ok_or_else(|| Broken(format!("no {key}")));
        let answer = Answer::parse(&part("answer")?)?.check(&self.roster.centre_key, &hello)?;
        self.seen = Consistency::parse(&part("consistency")?)?.check(self.seen, &self.roster.log)?.head();
        body["consistency"].as_str().unwrap_or_default().clone_into(&mut self.consistency);
        self.token = body["token"].as_str().map(str::to_owned);
        Ok(answer)
    }

    fn hello_note(&self, counter: u64, head: Option<(Place, BatchId)>) -> Sure<Hello> {
        let (unit, epoch) = (self.name.clone(), self.epoch);
        let stand = UnitStand { unit, epoch, head, number: None, waiting: [0; 3], seen: self.seen, settled: 0, alarms: Vec::new() };
        let facts = HelloFacts {
            centre: self.roster.centre.clone(),
            sender: Sender::Unit(stand),
            counter,
            by: Path::Network,
            roster: Some(self.roster.version),
            software: "rogue/0.1.0".into(),
            clock: now(),
            free: 1,
        };
        Ok(Hello::sign(facts, &self.unit)?)
    }

    /// The newest head that it has verified.
    pub fn seen(&self) -> Head {
        self.seen
    }

    /// The proof that came with the last answer.
    pub fn consistency(&self) -> &str {
        &self.consistency
    }

    /// Whether the last answer came with a token.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The token of the last answer.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn send(&self, request: RequestBuilder) -> Sure<Reply> {
        self.runtime.block_on(async {
            let response = request.send().await.map_err(|e| Broken(format!("{e:?}")))?;
            let offset = response.headers().get("upload-offset").and_then(|o| o.to_str().ok()?.parse().ok());
            Ok(Reply { status: response.status(), offset, body: response.bytes().await?.to_vec() })
        })
    }

    /// Any call, with the token.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(self.token.as_deref().unwrap_or("none"))
    }

    /// Any call with a body.
    pub fn post(&self, path: &str, body: Vec<u8>) -> Sure<Reply> {
        self.send(self.call(Method::POST, path).body(body))
    }

    /// Any call without a body.
    pub fn get(&self, path: &str) -> Sure<Reply> {
        self.send(self.call(Method::GET, path))
    }

    /// Announces a manifest.
    pub fn announce(&self, manifest: &Manifest) -> Sure<Reply> {
        self.post("batches", manifest.note().as_bytes().to_vec())
    }

    /// Sends bytes of a payload.
    pub fn patch(&self, batch: BatchId, offset: u64, bytes: &[u8]) -> Sure<Reply> {
        let patch = self.call(Method::PATCH, &format!("batches/{batch}/payload")).header("Tus-Resumable", "1.0.0");
        self.send(patch.header("Upload-Offset", offset).header("Content-Type", "application/offset+octet-stream").body(bytes.to_vec()))
    }

    /// What is durable of a payload.
    pub fn offset(&self, batch: BatchId) -> Sure<Option<u64>> {
        Ok(self.send(self.call(Method::HEAD, &format!("batches/{batch}/payload")).header("Tus-Resumable", "1.0.0"))?.offset)
    }

    /// The next batch: these records under the next numbers; `change` has the last word on what the manifest says.
    pub fn close(&mut self, records: &[Forged], change: impl FnOnce(&mut Facts)) -> Sure<(Manifest, Vec<u8>)> {
        let lines = records.iter().map(|r| {
            self.number += 1;
            r.line_of(Number::new(self.epoch, self.number).expect("from 1"), &self.name, &self.agent)
        });
        let lines: Vec<RecordLine> = lines.collect();
        let payload: Vec<u8> = records.iter().flat_map(|r| r.sealed.iter().copied()).collect();
        let manifest = self.close_lines(lines, &payload, change)?;
        self.head = Some((manifest.facts().place, manifest.id()));
        self.last = Some(manifest.clone());
        Ok((manifest, payload))
    }

    /// A batch of lines that are signed already; the chain does not advance.
    pub fn close_lines(&self, lines: Vec<RecordLine>, payload: &[u8], change: impl FnOnce(&mut Facts)) -> Sure<Manifest> {
        let sequence = self.head.map_or(1, |(place, _)| place.sequence + 1);
        let supervisor = self.supervisor.public().name().as_str().parse().map_err(|_| Broken("a name".into()))?;
        let mut facts = Facts {
            unit: self.name.clone(),
            place: Place::new(self.epoch, sequence).map_err(|_| Broken("a place".into()))?,
            previous: self.head.map(|(_, id)| id),
            roster: self.roster.version,
            seen: self.seen,
            closed: now().minute(),
            approved: Some(supervisor),
            payload_size: payload.len() as u64,
            payload: Digest::of(payload),
            lines: lines.into_iter().map(Line::Record).collect(),
        };
        change(&mut facts);
        let cosigners: &[&Signer] = if facts.cosigners().is_empty() { &[] } else { &[&self.supervisor] };
        Ok(Manifest::close(facts, &self.unit, cosigners)?)
    }

    /// The chain goes on after this batch and this number.
    pub fn advance(&mut self, manifest: &Manifest, number: u64) {
        self.head = Some((manifest.facts().place, manifest.id()));
        self.number = number;
    }

    /// Announces, sends, and takes the receipt.
    pub fn deliver(&self, manifest: &Manifest, payload: &[u8]) -> Sure<CheckedReceipt> {
        self.announce(manifest)?.done();
        self.patch(manifest.id(), 0, payload)?.done();
        self.receipt(manifest)
    }

    /// Waits for the receipt and checks it.
    pub fn receipt(&self, manifest: &Manifest) -> Sure<CheckedReceipt> {
        let bytes = self.paper(manifest.id(), "receipt")?;
        Ok(Receipt::parse(&bytes)?.check(manifest, &self.roster.log)?)
    }

    /// Waits for the newest outcome and checks it.
    pub fn outcome(&self, manifest: &Manifest) -> Sure<Vec<OutcomeLine>> {
        let body: Value = serde_json::from_slice(&self.paper(manifest.id(), "outcome")?)?;
        let note = body["outcome"].as_str().unwrap_or_default();
        Ok(Outcome::parse(note.as_bytes())?.check(manifest, &self.roster.centre_key)?.outcome().lines().to_vec())
    }

    /// What became of each record of a batch, in words, without references.
    pub fn fates(&self, manifest: &Manifest) -> Sure<Vec<String>> {
        let word = |line: &OutcomeLine| {
            let fate = line.fate.to_string();
            let words: Vec<&str> = fate.split(' ').collect();
            if words[0] == "merged" { words[0].to_owned() } else { words[..2].join(" ") }
        };
        Ok(self.outcome(manifest)?.iter().map(word).collect())
    }

    /// Puts one record into a batch, approved or not, delivers it, and says what became of it.
    pub fn told(&mut self, record: &Record, approved: bool) -> Sure<String> {
        let forged = self.workshop.sealed(record);
        let (manifest, payload) = self.close(&[forged], |facts| {
            if !approved {
                facts.approved = None;
            }
        })?;
        self.deliver(&manifest, &payload)?;
        Ok(self.fates(&manifest)?.remove(0))
    }

    /// The national number of the `person`th resident of its sample.
    pub fn national_number(&self, person: u64) -> String {
        let resident = self.workshop.sample.take(person, 0, &self.workshop.form, Transaction::Renewal, Kind::Complete);
        match &resident.expect("a resident").input.applies_to {
            Some(Target::NationalNumber { national_number }) => national_number.clone(),
            other => panic!("a renewal names a number: {other:?}"),
        }
    }

    /// A new record about the `person`th resident, under their number.
    pub fn numbered(&mut self, person: u64) -> Record {
        let number = self.national_number(person);
        self.workshop.about(person, Transaction::New, None, |fields| {
            fields.insert("national_number".into(), Some(number));
        })
    }

    fn paper(&self, batch: BatchId, kind: &str) -> Sure<Vec<u8>> {
        until(&format!("the {kind} of a batch"), || {
            let reply = self.send(self.call(Method::GET, &format!("batches/{batch}/{kind}")))?;
            match reply.status {
                StatusCode::OK => Ok(Some(reply.body)),
                StatusCode::ACCEPTED => Ok(None),
                _ => Err(Broken(format!("{kind}: {reply:?}"))),
            }
        })
    }
}

/// Keys that a known name may get.
pub struct Spare {
    name: Member,
    signers: [Signer; 3],
}

impl Spare {
    /// The id of the unit's key, as lists show it.
    pub fn id(&self) -> String {
        self.signers[0].public().id().to_string()
    }

    /// The request for the unit's key, in a file.
    pub fn unit_request(&self, world: &World) -> Sure<std::path::PathBuf> {
        let file = world.path().join(format!("{}-{}.request", self.name, self.id()));
        fs::write(&file, UnitRequest::sign(&self.name, &self.signers[0]).as_bytes())?;
        Ok(file)
    }

    /// Admits agent and supervisor under names of their own, and says hello in this epoch.
    pub fn join(self, world: &World, epoch: u32) -> Sure<Rogue> {
        let own = |role: &str| format!("{}-{role}-{epoch}", self.name).parse::<Member>().map_err(|_| Broken("a name".into()));
        let (agent, supervisor) = (own("agent")?, own("supervisor")?);
        let [unit, ..] = self.signers;
        let (agent_key, supervisor_key) = (signer(&agent), signer(&supervisor));
        let cards = AgeRecipient::from(&Identity::from_seed(RecipientKind::X25519, &[77; 32]).recipient());
        let people = [
            ("agent", person(Role::Agent, &agent, None, &agent_key)),
            ("supervisor", person(Role::Supervisor, &supervisor, Some(cards), &supervisor_key)),
        ];
        for (kind, note) in people {
            let file = world.path().join(format!("{kind}-{epoch}.request"));
            fs::write(&file, note.as_bytes())?;
            world.centre.run(&[kind, "admit", path_text(&file)?])?.ok()?;
        }
        let mut rogue = Rogue::stranger(world, &self.name, [unit, agent_key, supervisor_key])?;
        rogue.epoch = epoch;
        let state = rogue.hello()?.state;
        if state == shared::hello::State::Ok { Ok(rogue) } else { Err(Broken(format!("hello: {state:?}"))) }
    }
}
