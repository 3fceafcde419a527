//! A serving centre with two units and the two adjudicators whom a decision may need.

use shared::{
    id::{RecordId, ResidentRef},
    record::Record,
};

use super::{Adjudicator, Broken, Plan, Rogue, Sure, World, until};

/// Who is there.
pub struct Desk {
    /// The centre.
    pub world: World,
    /// A unit.
    pub honest: Rogue,
    /// Another one.
    pub other: Rogue,
    /// Decides first.
    pub amina: Adjudicator,
    /// Confirms.
    pub youssef: Adjudicator,
}

/// The id of a record.
pub fn id(record: &Record) -> RecordId {
    record.content().record_id
}

/// The reference of the resident that a record founds.
pub fn reference(rogue: &Rogue, record: &Record) -> String {
    ResidentRef::founded_by(&rogue.name, id(record)).to_string()
}

/// The newest outcome of the unit's last batch becomes this.
pub fn becomes(rogue: &Rogue, fate: &str) -> Sure<()> {
    let manifest = rogue.last().ok_or_else(|| Broken("nothing delivered".into()))?;
    until(&format!("the outcome says {fate}"), || Ok((rogue.fates(&manifest)?[0] == fate).then_some(())))
}

impl Desk {
    /// All are admitted, and the centre serves.
    pub fn of(plan: &Plan) -> Sure<Self> {
        let mut world = World::new(plan)?;
        world.centre.serve()?;
        let amina = Adjudicator::admitted(&world, "amina")?;
        let youssef = Adjudicator::admitted(&world, "youssef")?;
        let honest = Rogue::admitted(&world, "van-1")?;
        let other = Rogue::admitted(&world, "van-9")?;
        Ok(Self { world, honest, other, amina, youssef })
    }

    /// One person decides about a record, and it acts.
    pub fn one(&self, rogue: &Rogue, record: &Record, said: &[&str], reason: &str) -> Sure<()> {
        let done = self.amina.decide(&self.world, &rogue.name, id(record), said, reason)?.ok()?;
        assert_eq!((done.number("acts"), done.number("waits")), (1, 0), "{:?}", done.lines);
        Ok(())
    }

    /// The first person's decision about a record waits, and says so where staff look; the same name is no second; another's acts.
    pub fn two(&self, rogue: &Rogue, record: &Record, said: &[&str], reason: &str) -> Sure<()> {
        let first = self.amina.decide(&self.world, &rogue.name, id(record), said, reason)?;
        self.both(&first)
    }

    fn both(&self, first: &super::Ran) -> Sure<()> {
        assert_eq!((first.number("acts"), first.number("waits")), (0, 1), "{first:?}");
        self.amina.confirm(&self.world, first)?.refused("second-same")?;
        let second = self.youssef.confirm(&self.world, first)?.ok()?;
        assert_eq!(second.number("acts"), 1, "{:?}", second.lines);
        Ok(())
    }

    fn accept(&self, rogue: &Rogue, code: &str) -> Sure<super::Ran> {
        let batch = rogue.last().ok_or_else(|| Broken("nothing delivered".into()))?.id().to_string();
        self.amina.run(&self.world, &["batch", "decide", &batch, "accept", code, "--reason", "work-checked"])
    }

    /// One person accepts a unit's last batch in spite of this code.
    pub fn one_accepts(&self, rogue: &Rogue, code: &str) -> Sure<()> {
        let done = self.accept(rogue, code)?.ok()?;
        assert_eq!((done.number("acts"), done.number("waits")), (1, 0), "{:?}", done.lines);
        Ok(())
    }

    /// Two persons accept it.
    pub fn two_accept(&self, rogue: &Rogue, code: &str) -> Sure<()> {
        let first = self.accept(rogue, code)?;
        self.both(&first)
    }

    /// Staff see the batch among what is open, with the command that decides.
    pub fn is_open(&self, rogue: &Rogue, kind: &str) -> Sure<()> {
        let batch = rogue.last().ok_or_else(|| Broken("nothing delivered".into()))?.id().to_string();
        let open = self.world.centre.run(&["open", "list"])?.ok()?;
        let fact = open.of("open").find(|fact| fact["about"] == batch.as_str() && fact["kind"] == kind);
        let next = fact.and_then(|fact| fact["next"].as_str()).unwrap_or_default();
        assert!(next.contains("sync-server batch decide"), "{:?}", open.lines);
        Ok(())
    }
}
