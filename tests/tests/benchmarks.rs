//! The benchmarks run: their bare sides speak as the programs do. No figure is judged.

use std::process::Command;

use tests::world::{Broken, Sure, bins};

#[test]
fn each_kind_of_row_is_measured() -> Sure<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(bins()?.join("bench"));
    let out = command.args(["--json", "--quick", "--only", "20KB", "--folder"]).arg(folder.path()).output()?;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8_lossy(&out.stdout).into_owned();
    let lines = lines.lines().map(serde_json::from_str).collect::<Result<Vec<serde_json::Value>, _>>();
    let lines = lines.map_err(|e| Broken(e.to_string()))?;
    let rows: Vec<_> = lines.iter().filter(|line| line["message_type"] == "row").collect();
    let names: Vec<_> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["seal/20KB", "ingest/20KB", "merge/20KB"]);
    assert!(rows.iter().all(|row| row["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0)), "{rows:?}");
    Ok(())
}
