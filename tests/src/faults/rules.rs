//! What no run may do: tell somebody of success on the strength of something that is in doubt ([`super::doubt`]).
//!
//! A command's success is its exit; what it says on the way, line by line, is true when it is said. Of a serving centre
//! each promise that goes into a socket is judged by what it rests on ([`super::told`]).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    doubt::{Doubt, Doubtful},
    told::{Foundations, promises},
};
use crate::tracer::{Act, Event};

/// What a serving centre promised while it was in doubt.
pub fn broken_by_centre(events: &[Event]) -> BTreeSet<String> {
    let (mut doubt, mut foundations, mut broken) = (Doubt::default(), Foundations::default(), BTreeSet::new());
    for event in events {
        for promise in promises(event) {
            let rests = doubt.all().filter(|d| foundations.bear(promise, d));
            broken.extend(rests.map(|d| format!("{promise} was told while {d} was in doubt")));
        }
        foundations.meet(event);
        doubt.meet(event);
    }
    broken
}

/// What a command left in doubt although it succeeded, or said while it was; `carries` leaves out what nothing rests on.
pub fn broken_by_command(events: &[Event], succeeded: bool, carries: impl Fn(&Doubtful) -> bool) -> BTreeSet<String> {
    let (mut doubt, mut broken) = (Doubt::default(), BTreeSet::new());
    for event in events {
        for line in lines(event) {
            broken.extend(doubt.all().filter(&carries).map(|d| format!("{line:?} was said while {d} was in doubt")));
        }
        doubt.meet(event);
    }
    if succeeded {
        broken.extend(doubt.all().filter(&carries).map(|d| format!("it succeeded, and {d} is in doubt")));
    }
    broken
}

/// The kinds of lines that say that something is done; an error, a warning and a summary, which is the exit's, do not.
fn lines(event: &Event) -> Vec<String> {
    let Act::Tell { to, data, .. } = &event.act else { return Vec::new() };
    let text = String::from_utf8_lossy(data);
    let kinds = text
        .lines()
        .filter(|_| to == "stdout")
        .filter_map(|l| serde_json::from_str::<Value>(l).ok()?["message_type"].as_str().map(str::to_owned));
    kinds.filter(|kind| !matches!(kind.as_str(), "error" | "warning" | "summary")).collect()
}

#[cfg(test)]
mod tests {
    use shared::id::Blob;

    use super::*;
    use crate::faults::script::run;

    const BLOB: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    /// Broken promises of a run in which these words stand for what a centre does and tells at sizes 5 and 6 of its log.
    fn centre(script: &str) -> usize {
        let blob = format!("archive/blobs/2c/26/{BLOB}");
        let mut text =
            script.replace("BLOB", &blob).replace("FOLDER", "archive/blobs/2c/26").replace("SEGMENTS", "archive/segments/00000000");
        for size in [5, 6] {
            let segment = format!("enroll-segment/v1~new+{size}+x~~outcome+sha256:{BLOB}~");
            let hex = Blob::of(segment.replace('+', " ").replace('~', "\n").as_bytes()).hex();
            let name = format!("archive/segments/00000000/{size:012}-{hex}");
            let head = format!("put guard/.tmp-g {size}+root+sha256:{hex}~; sync guard/.tmp-g; rename guard/.tmp-g guard/head");
            let proof = format!("tell socket HTTP/1.1+200+OK^^c2sp.org/tlog-proof@v1~index+4~~origin~{size}~root");
            text = text.replace(&format!("WRITE{size}"), &format!("put archive/incoming/.tmp-s {segment}"));
            text = text.replace(&format!("NAME{size}"), &format!("rename archive/incoming/.tmp-s {name}"));
            text = text.replace(&format!("HEAD{size}"), &head).replace(&format!("PROOF{size}"), &proof);
        }
        for offset in [0, 8, 9] {
            let tell = format!("tell socket HTTP/1.1+204+No+Content^upload-offset:+{offset}^upload-length:+99^^");
            text = text.replace(&format!("OFFSET{offset}"), &tell);
        }
        let hello = format!("tell socket HTTP/1.1+200+OK^^{{\"answer\":\"hello+3+sha256:{}\\nwant+1.1+8\\n\"}}", "61".repeat(32));
        broken_by_centre(&run(&text.replace("COUNTED", &"a".repeat(32)).replace("HELLO", &hello))).len()
    }

    #[test]
    fn a_proof_rests_on_the_blobs_that_are_logged() {
        let logged = |before: &str| centre(&format!("{before}; WRITE5; NAME5; sync SEGMENTS; HEAD5; sync guard; PROOF5"));
        assert_eq!(logged("create BLOB; sync FOLDER"), 0);
        assert_eq!(logged("create BLOB; sync FOLDER EIO"), 1, "an error that was swallowed");
        assert_eq!(logged("create BLOB; sync FOLDER EIO; sync FOLDER"), 1, "tried again");
        assert_eq!(logged("create BLOB; sync FOLDER EIO; create FOLDER/b; sync FOLDER"), 1, "for another one");
        assert_eq!(logged("create BLOB; sync FOLDER EIO; rename archive/incoming/.tmp-1 BLOB; sync FOLDER"), 0, "given anew");
        assert_eq!(logged("folder archive/blobs/2c; sync archive/blobs EIO"), 1, "a folder above it");
        assert_eq!(logged("create FOLDER/b; sync FOLDER EIO"), 0, "of another one");
        let linked = "write staging/p 0 8; sync staging/p EIO; link staging/p archive/incoming/.tmp-1; rename archive/incoming/.tmp-1 BLOB";
        assert_eq!(logged(&format!("{linked}; sync FOLDER; unlink staging/p")), 1, "linked from staging");
        assert_eq!(logged("write staging/b.mark 0 8; sync staging/b.mark EIO"), 0, "the archive has what is logged");
        let later = "create BLOB; sync FOLDER EIO; WRITE6; NAME6; sync SEGMENTS; HEAD6; sync guard";
        assert_eq!(centre(&format!("{later}; PROOF5")), 0, "none of these five entries names it");
        assert_eq!(centre(&format!("{later}; PROOF6")), 1);
    }

    #[test]
    fn a_proof_rests_on_guard_and_segment() {
        assert_eq!(centre("WRITE5; NAME5; sync SEGMENTS EIO; HEAD5; sync guard; PROOF5"), 1);
        assert_eq!(centre("WRITE5; NAME5 EIO; HEAD5; sync guard; PROOF5"), 1);
        assert_eq!(centre("WRITE5; NAME5 EIO; WRITE6; NAME6; sync SEGMENTS; HEAD6; sync guard; PROOF6"), 0, "an orphan");
        assert_eq!(centre("HEAD6; sync guard EIO; PROOF6"), 1);
        assert_eq!(centre("HEAD6; sync guard EIO; sync guard; PROOF6"), 1, "tried again");
        assert_eq!(centre("HEAD6; sync guard EIO; HEAD6; sync guard; PROOF6"), 0, "given anew");
        assert_eq!(centre("HEAD6 EIO; PROOF6"), 1);
        assert_eq!(centre("HEAD5; sync guard; HEAD6; sync guard EIO; PROOF5"), 0, "the older head");
    }

    #[test]
    fn an_offset_rests_on_names_in_staging_the_mark_and_the_bytes_before_it() {
        assert_eq!(centre("create staging/b.manifest; sync staging; OFFSET8"), 0);
        // an announcement that failed, done again without giving the name anew; then the upload's own names
        let doubtful = "create staging/b.manifest; sync staging EIO; create staging/b.mark; create staging/b.payload; sync staging";
        assert_eq!(centre(&format!("{doubtful}; OFFSET8")), 1);
        assert_eq!(centre(&format!("{doubtful}; OFFSET0")), 0, "nothing is promised");
        assert_eq!(centre(&format!("{doubtful}; rename staging/.tmp-1 staging/b.manifest; sync staging; OFFSET8")), 0);
        let refusal = "tell socket HTTP/1.1+503+Busy^upload-offset:+8^upload-length:+9^^";
        assert_eq!(centre(&format!("{doubtful}; {refusal}")), 0, "a refusal");
        let half = "write staging/b.payload 0 8; sync staging/b.payload; write staging/b.payload 8 8; sync staging/b.payload EIO";
        assert_eq!(centre(&format!("{half}; OFFSET8")), 0, "before what failed");
        assert_eq!(centre(&format!("{half}; OFFSET9")), 1);
        let mark = "write staging/b.mark 0 8; sync staging/b.mark EIO";
        assert_eq!(centre(&format!("{mark}; OFFSET8")), 1);
        assert_eq!(centre(&format!("{mark}; sync staging/b.mark; OFFSET8")), 1, "tried again");
        assert_eq!(centre(&format!("{mark}; write staging/b.mark 0 8; sync staging/b.mark; OFFSET8")), 0);
        assert_eq!(centre(&format!("{mark}; HELLO")), 1, "an offset in the answer to a hello");
    }

    #[test]
    fn the_answer_to_a_hello_rests_on_the_database() {
        assert_eq!(centre("put centre.db-wal COUNTED; sync centre.db-wal; HELLO"), 0);
        assert_eq!(centre("put centre.db-wal COUNTED; sync centre.db-wal EIO; HELLO"), 1);
        assert_eq!(centre("put centre.db-wal COUNTED EIO; HELLO"), 1);
        assert_eq!(centre("put centre.db-wal COUNTED; sync centre.db-wal EIO; PROOF5; OFFSET8"), 0, "it is a view of archive and guard");
        let later = "write centre.db-wal 32 8; sync centre.db-wal EIO; HELLO";
        assert_eq!(centre(&format!("put centre.db-wal COUNTED; sync centre.db-wal; {later}")), 0, "another commit");
        assert_eq!(centre(&format!("put centre.db-wal other; sync centre.db-wal; {later}")), 1, "it was not counted before");
        assert_eq!(centre("create centre.db-wal; sync . EIO; put centre.db-wal COUNTED; sync centre.db-wal; HELLO"), 1, "the log's name");
        let checkpoint = "put centre.db-wal COUNTED; sync centre.db-wal; write centre.db 0 8; sync centre.db EIO";
        assert_eq!(centre(&format!("{checkpoint}; HELLO")), 0, "the write-ahead log has it");
        assert_eq!(centre(&format!("{checkpoint}; unlink centre.db-wal; HELLO")), 1);
    }

    fn command(script: &str, succeeded: bool) -> usize {
        broken_by_command(&run(script), succeeded, |_| true).len()
    }

    #[test]
    fn a_command_that_succeeds_leaves_nothing_in_doubt() {
        assert_eq!(command("write v-wal 0 8; sync v-wal EIO", true), 1);
        assert_eq!(command("write v-wal 0 8; sync v-wal EIO", false), 0, "its exit told of it");
        assert_eq!(command("write v-wal 0 8; sync v-wal EIO; write v-wal 0 8; sync v-wal", true), 0, "done again");
        // also behind the first line
        let said = "tell stdout {\"message_type\":\"batch\"}";
        assert_eq!(command(&format!("{said}; write v-wal 0 8; sync v-wal EIO"), true), 1);
        assert_eq!(command(&format!("{said}; rename .tmp-1 a EIO; tell stdout {{\"message_type\":\"summary\"}}"), true), 1);
        assert_eq!(broken_by_command(&run("rename .tmp-1 a EIO"), true, |d| d.path != "a").len(), 0, "nothing rests on it");
    }

    #[test]
    fn each_line_of_a_command_is_true_when_it_is_said() {
        let failed = "write v-wal 0 8; sync v-wal EIO";
        assert_eq!(command(&format!("{failed}; tell stdout {{\"message_type\":\"receipt\"}}"), false), 1);
        assert_eq!(command(&format!("tell stdout {{\"message_type\":\"receipt\"}}; {failed}"), false), 0);
        for kind in ["error", "warning", "summary"] {
            assert_eq!(command(&format!("{failed}; tell stdout {{\"message_type\":\"{kind}\"}}"), false), 0, "{kind} promises nothing");
        }
    }
}
