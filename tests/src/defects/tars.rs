//! Tars by hand: members are a header and what follows it.

use shared::{record::Record, seal::tar};

/// Header and content of a member.
pub type Member = ([u8; 512], Vec<u8>);
/// Members in order.
pub type Tar = Vec<Member>;

/// The members of a record as it should be.
pub fn members(record: &Record) -> Tar {
    let mut members = vec![regular(tar::RECORD_JSON, &record.content().to_json())];
    members.extend(record.parts().map(|(part, bytes)| regular(part.name.as_str(), bytes)));
    members
}

/// A regular member.
pub fn regular(name: &str, bytes: &[u8]) -> Member {
    (tar::header(name, bytes.len() as u64), bytes.to_vec())
}

/// A member of another type, with a checksum that is right.
pub fn typed(name: &str, kind: u8, bytes: &[u8]) -> Member {
    let mut header = tar::header(name, bytes.len() as u64);
    header[156] = kind;
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    (header, bytes.to_vec())
}

/// All of it, with the two empty blocks at the end.
pub fn archive(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    for (header, bytes) in members {
        out.extend_from_slice(header);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}
