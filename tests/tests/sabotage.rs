//! What is installed can't be told to break a promise: the switches exist in the test build alone.

use std::fs;

use tests::world::{Broken, Sure, bins, sabotage_is_missing, sabotaged_bins};

const VARIABLE: &[u8] = b"ENROLMENT_SABOTAGE";

fn holds(program: &std::path::Path) -> Sure<bool> {
    let bytes = fs::read(program).map_err(|e| Broken(format!("{}: {e}", program.display())))?;
    Ok(bytes.windows(VARIABLE.len()).any(|w| w == VARIABLE))
}

#[test]
fn the_switches_are_in_the_test_build_and_not_in_the_programs() -> Sure<()> {
    for name in ["enroll-client", "sync-server"] {
        assert!(!holds(&bins()?.join(name))?, "{name} can be told to break a promise");
    }
    if sabotage_is_missing() {
        return Ok(());
    }
    let folder = sabotaged_bins().ok_or_else(|| Broken("just there".into()))?;
    for name in ["enroll-client", "sync-server"] {
        assert!(holds(&folder.join(name))?, "{name}: no switch in the test build, so the check above finds nothing either");
    }
    Ok(())
}
