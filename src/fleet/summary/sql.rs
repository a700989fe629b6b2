//! What is asked of the engine. Every statement stands here as it is: nothing of a record is ever put into one.

/// The name under which the table is asked.
pub(super) const TABLE: &str = "figures";

/// What makes a row one that a card is judged by. A software driver is let in only for a rehearsal.
macro_rules! judged {
    ($software:literal) => {
        concat!(
            "quantity IN ('time', 'value')\n  AND is_best\n  AND verified\n  AND NOT simulated",
            $software
        )
    };
}

/// The figures by which cards are judged: of each case the kernel that stands for it. Made-up power is no power.
macro_rules! entering {
    ($software:literal) => {
        concat!(
            "SELECT device, vendor_id, device_id, backend, driver, concurrent_gpus, host, gpu,\n",
            "       record, content, file, started_utc, \"case\", kernel, better, value, low, high,\n",
            "       CASE WHEN simulated_power THEN NULL ELSE joules END AS joules,\n",
            "       CASE WHEN simulated_power THEN NULL ELSE joules_low END AS joules_low,\n",
            "       CASE WHEN simulated_power THEN NULL ELSE joules_high END AS joules_high,\n",
            "       throttled_by\nFROM figures\nWHERE ",
            judged!($software)
        )
    };
}

/// What the judged figures are.
pub(super) fn entering(with_software: bool) -> &'static str {
    match with_software {
        true => entering!(""),
        false => entering!("\n  AND NOT software_driver"),
    }
}

/// What does not enter, and why.
pub(super) const LEFT_OUT: &str = "\
SELECT device,
       CASE WHEN simulated THEN 'simulated'
            WHEN software_driver THEN 'software driver'
            WHEN NOT verified THEN 'unverified'
            ELSE 'simulated power' END AS why,
       count(*) AS figures,
       count(DISTINCT file) AS files
FROM figures
WHERE quantity IN ('time', 'value')
  AND is_best
  AND (simulated OR software_driver OR NOT verified OR simulated_power)
GROUP BY 1, 2
ORDER BY 1, 2";

/// Cases that gave no right output, or none.
pub(super) const FAILED: &str = "\
SELECT device, vendor_id, device_id, backend, host, gpu, file, \"case\", kernel, failure, reason
FROM figures
WHERE status = 'failed' AND NOT software_driver AND NOT simulated
ORDER BY device, host, gpu, \"case\", kernel";

/// How many cards answered a case that some card failed.
pub(super) const ANSWERED: &str = "\
SELECT device, \"case\", kernel, count(DISTINCT record || '/' || file) AS files
FROM figures
WHERE quantity IN ('time', 'value')
  AND verified AND NOT simulated AND NOT software_driver
  AND \"case\" IN (SELECT DISTINCT \"case\" FROM figures WHERE status = 'failed')
GROUP BY 1, 2, 3";

/// Where the cards of a model lie in a case; the summary's own table, and the same by any other engine.
pub(super) const DISTRIBUTION: &str = "\
WITH judged AS (
  SELECT device, backend, \"case\", host, gpu, value
  FROM figures
  WHERE quantity = 'time' AND is_best AND verified AND NOT simulated AND NOT software_driver
), cards AS (
  SELECT device, backend, \"case\", host, gpu, median(value) AS value
  FROM judged
  GROUP BY 1, 2, 3, 4, 5
)
SELECT device, backend, \"case\", count(*) AS cards,
       median(value) AS median_ns, min(value) AS least_ns, max(value) AS most_ns
FROM cards
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3";

/// All statements, each with what it is for, for a reader or another engine.
pub(super) fn all(with_software: bool) -> String {
    let parts = [
        ("What cards are judged by", entering(with_software)),
        ("What does not enter, and why", LEFT_OUT),
        ("Cases that gave no right output", FAILED),
        (
            "How many cards answered a case that some card failed",
            ANSWERED,
        ),
        (
            "Where the cards of a model lie in a case, for another engine to check",
            DISTRIBUTION,
        ),
    ];
    let mut text = "\
-- In DuckDB, first:
--   CREATE VIEW figures AS SELECT * FROM read_parquet('DIR/**/*.parquet', hive_partitioning = true);
"
    .to_owned();
    for (what, statement) in parts {
        text += &format!("\n-- {what}.\n{statement};\n");
    }
    text
}
