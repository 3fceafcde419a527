//! Rows as JSON Lines or as a table.

use serde_json::{Value, json};

use super::Wishes;

/// One figure with what it is compared to.
pub struct Row {
    /// `seal/300KB`
    pub name: String,
    /// `records/s` or `bytes`.
    pub unit: &'static str,
    /// Ours and the baseline, run by run; a memory row has one run and its limit as the baseline.
    pub runs: Vec<(f64, f64)>,
    /// Peak resident memory of the process that does the work, in bytes.
    pub peak_rss: u64,
}

impl Row {
    /// Median of ours.
    pub fn value(&self) -> f64 {
        median(self.runs.iter().map(|r| r.0))
    }
    /// Median of the baseline.
    pub fn baseline(&self) -> f64 {
        median(self.runs.iter().map(|r| r.1))
    }
    /// One by the other.
    pub fn ratio(&self) -> f64 {
        self.value() / self.baseline()
    }
    fn json(&self) -> Value {
        json!({
            "message_type": "row", "name": self.name, "value": round(self.value()), "unit": self.unit,
            "baseline": round(self.baseline()), "ratio": round(self.ratio()), "peak_rss": self.peak_rss,
            "runs": self.runs.iter().map(|(a, b)| [round(*a), round(*b)]).collect::<Vec<_>>(),
        })
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Four figures are more than such a measurement is good for.
fn round(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Where rows go.
pub struct Report {
    json: bool,
    rows: usize,
}

impl Report {
    /// Nothing reported yet.
    pub fn new(json: bool) -> Self {
        Self { json, rows: 0 }
    }

    /// Tells a row as soon as it is there.
    pub fn row(&mut self, row: &Row) {
        if self.json {
            println!("{}", row.json());
        } else {
            if self.rows == 0 {
                println!("{:<22} {:>12} {:>12} {:<10} {:>6}  {:>9}  runs", "", "ours", "baseline", "", "ratio", "peak MB");
            }
            let pairs: Vec<String> = row.runs.iter().map(|(a, b)| format!("{:.2}", a / b)).collect();
            let megabytes = row.peak_rss as f64 / 1e6;
            let (value, baseline) = (round(row.value()), round(row.baseline()));
            println!(
                "{:<22} {value:>12} {baseline:>12} {:<10} {:>6.2}  {megabytes:>9.1}  {}",
                row.name,
                row.unit,
                row.ratio(),
                pairs.join(" ")
            );
        }
        self.rows += 1;
    }

    /// The last line.
    pub fn end(&self, wishes: &Wishes) {
        if self.json {
            println!("{}", json!({ "message_type": "summary", "rows": self.rows, "quick": wishes.quick, "scale": wishes.scale }));
        }
    }
}
