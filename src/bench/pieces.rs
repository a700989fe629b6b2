//! A dispatch in pieces: the same workgroups in several dispatches, none of which is too long for a watchdog.
//!
//! WebGPU's dispatches begin at workgroup 0, so the shader is told where its piece begins. What it is told is added to
//! the two built-in values that say where a workgroup stands; nothing else in a shader knows.

use std::time::Duration;

use crate::units::Seconds;
use crate::workload::{Dispatch, WgslModule};

/// Name of the variable in the shader.
const FIRST: &str = "perwatt_first_workgroup";

/// Values that count from the beginning of a dispatch, and what a workgroup is in their unit.
const COUNTED: [&str; 2] = ["workgroup_id", "global_invocation_id"];

/// A value that a piece would change and that cannot be mended.
const UNMENDED: &str = "num_workgroups";

/// A shader that is told where its piece begins.
#[derive(Clone, Debug)]
pub(super) struct ToldShader {
    /// Its source.
    pub(super) wgsl: String,
    /// The binding group that holds where the piece begins, which nothing else is in.
    pub(super) group: u32,
}

/// A dispatch's shader, told where its piece begins; nothing where it cannot be: its workgroups are counted when it runs,
/// or no group is left, of which a device has so many.
pub(super) fn told(dispatch: &Dispatch, groups: u32) -> Option<ToldShader> {
    let bound = dispatch.bindings.iter().map(|binding| binding.group);
    let sampled = dispatch.samplers.iter().map(|(group, ..)| *group);
    let group = bound.chain(sampled).map(|group| group + 1).max();
    let group = group.unwrap_or(0);
    if dispatch.indirect.is_some() || group >= groups {
        return None;
    }
    let wgsl = in_pieces(&dispatch.wgsl, dispatch.workgroup_threads, group)?;
    // What is told by its text may be written as nobody expected.
    WgslModule::parse(&wgsl).ok()?;
    Some(ToldShader { wgsl, group })
}

/// A shader whose workgroups count from where a uniform of a group says. `threads` are a workgroup's.
fn in_pieces(wgsl: &str, threads: [u32; 3], group: u32) -> Option<String> {
    if wgsl.contains(UNMENDED) {
        return None;
    }
    // Only the plain spelling is told from others; one value of two would leave workgroups where they are not.
    let is_plain = |after: &str| {
        let name = after
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'));
        name.is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    if !wgsl.split("@builtin").skip(1).all(is_plain) {
        return None;
    }
    let mut rest = wgsl;
    let mut told = String::with_capacity(wgsl.len() + 256);
    let mut statements = String::new();
    let [x, y, z] = threads;
    loop {
        let next = COUNTED
            .iter()
            .filter_map(|value| Some((rest.find(&format!("@builtin({value})"))?, *value)))
            .min();
        let body = rest.find('{').filter(|_| !statements.is_empty());
        match (next, body) {
            // The end of the parameters comes first: here the function begins.
            (next, Some(body)) if next.is_none_or(|(at, _)| body < at) => {
                told.push_str(&rest[..=body]);
                told.push_str(&std::mem::take(&mut statements));
                rest = &rest[body + 1..];
            }
            (Some((at, value)), _) => {
                let parameter = at + format!("@builtin({value})").len();
                let colon = parameter + rest[parameter..].find(':')?;
                let name = rest[parameter..colon].trim();
                told.push_str(&rest[..parameter]);
                told.push_str(&format!(" {name}_in_piece"));
                let scale = match value {
                    "workgroup_id" => String::new(),
                    _ => format!(" * vec3<u32>({x}u, {y}u, {z}u)"),
                };
                statements.push_str(&format!(
                    "\n    let {name} = {name}_in_piece + {FIRST}.xyz{scale};"
                ));
                rest = &rest[colon..];
            }
            (None, None) => break,
            (None, Some(_)) => return None,
        }
    }
    told.push_str(rest);
    let changed = told.len() > wgsl.len();
    changed
        .then(|| format!("{told}\n@group({group}) @binding(0) var<uniform> {FIRST}: vec4<u32>;\n"))
}

/// Where a piece begins and how many workgroups it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) first: [u32; 3],
    pub(super) workgroups: [u32; 3],
}

/// A grid in so many pieces along its longest side, or as many as that has workgroups.
pub(super) fn pieces(workgroups: [u32; 3], count: u32) -> Vec<Piece> {
    let side = longest(workgroups);
    let each = workgroups[side].div_ceil(count.max(1)).max(1);
    (0..workgroups[side])
        .step_by(each as usize)
        .map(|start| {
            let mut piece = Piece {
                first: [0; 3],
                workgroups,
            };
            piece.first[side] = start;
            piece.workgroups[side] = each.min(workgroups[side] - start);
            piece
        })
        .collect()
}

/// The side of a grid that has the most workgroups.
pub(super) fn longest(workgroups: [u32; 3]) -> usize {
    (0..3).max_by_key(|side| workgroups[*side]).unwrap_or(0)
}

/// How a dispatch is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Taken {
    /// In so many pieces, each of which takes so long; 1 is as it is.
    InPieces {
        /// How many.
        count: u32,
        /// How long one takes, by estimate.
        each: Seconds,
    },
    /// Not at all: a single row of its workgroups would take so long.
    NotAtAll(Seconds),
}

/// By how much a part may grow from one measurement to the next.
const STEPS: [u32; 3] = [8, 4, 2];

/// What an estimate may be wrong by: a cache is left, a clock falls.
const MARGIN: f64 = 3.0;

/// Pieces are far shorter than what a watchdog allows: rows differ, and clocks fall.
const PIECES_OF_MOST: f64 = 5.0;

/// A part of a dispatch, measured.
#[derive(Clone, Copy)]
struct MeasuredPart {
    rows: u32,
    took_s: f64,
    /// With which power of its rows time is known to grow; until that was seen, it is taken to be the second, as where
    /// the work of a row grows with its number.
    power: Option<f64>,
}

impl MeasuredPart {
    /// How long so many times its rows may take, in seconds.
    fn times_s(&self, times: f64) -> f64 {
        self.took_s * times.powf(self.power.unwrap_or(2.0))
    }
}

/// Rows of the first part of a dispatch that is measured: there are so many in all.
pub(super) fn first_part(rows: u32) -> u32 {
    rows.div_ceil(512)
}

/// How a dispatch is taken by a device that may have been idle, but in pieces or not at all only by one that was `busy`, if
/// it can be kept so: an idle one's clocks would have pieces made that nobody needs.
pub(super) fn take_on_busy<D, E>(
    device: &mut D,
    take: impl Fn(&mut D) -> Result<Taken, E>,
    busy: impl FnOnce(&mut D) -> Result<bool, E>,
) -> Result<Taken, E> {
    let taken = take(device)?;
    let is_whole = matches!(taken, Taken::InPieces { count: 1, .. });
    if is_whole || !busy(device)? {
        return Ok(taken);
    }
    take(device)
}

/// Finds out how to take a dispatch with so many rows of workgroups so that none is estimated to take longer than
/// `most`: parts of it are measured, each larger than the one before, and only where what is known of the smaller ones
/// says that it keeps within.
///
/// # Errors
/// The first of `time`, which runs so many rows and says how long they took.
pub(super) fn take<E>(
    rows: u32,
    most: Seconds,
    mut time: impl FnMut(u32) -> Result<Duration, E>,
) -> Result<Taken, E> {
    let mut took_s = |rows| Ok(time(rows)?.as_secs_f64());
    let first = first_part(rows);
    // The first execution may compile for seconds; the second is the one to believe. What the device survived once it
    // does again.
    let took_first_s = took_s(first)?;
    let mut part = MeasuredPart {
        rows: first,
        took_s: took_s(first)?.min(took_first_s),
        power: None,
    };
    while part.rows < rows {
        let within = |step: &&u32| MARGIN * part.times_s(f64::from(**step)) <= most.get();
        let Some(step) = STEPS.iter().find(within) else {
            break;
        };
        let more = part.rows.saturating_mul(*step).min(rows);
        let more_s = took_s(more)?;
        let power =
            (more_s / part.took_s.max(1e-9)).ln() / (f64::from(more) / f64::from(part.rows)).ln();
        part = MeasuredPart {
            rows: more,
            took_s: more_s,
            power: Some(power.clamp(1.0, 2.0)),
        };
    }
    Ok(judge(part, rows, most))
}

/// How to take a dispatch of which so much is known.
fn judge(part: MeasuredPart, rows: u32, most: Seconds) -> Taken {
    let row_s = part.took_s / f64::from(part.rows);
    let whole_s = part.times_s(f64::from(rows) / f64::from(part.rows));
    if whole_s <= most.get() / 2.0 {
        return Taken::InPieces {
            count: 1,
            each: Seconds(whole_s),
        };
    }
    if row_s > most.get() {
        return Taken::NotAtAll(Seconds(row_s));
    }
    // A number of pieces that is no number of pieces is the largest.
    let wanted = (whole_s * PIECES_OF_MOST / most.get()).ceil();
    let count = (wanted as u32).clamp(1, rows);
    Taken::InPieces {
        count,
        each: Seconds(whole_s / f64::from(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroups_count_from_where_their_piece_begins() {
        let wgsl = "fn other(a: u32) -> u32 { return a; }\n@compute @workgroup_size(8, 4)\nfn main(\n    \
                    @builtin(workgroup_id) group: vec3u,\n    @builtin(local_invocation_index) thread: u32,\n    \
                    @builtin(global_invocation_id) id: vec3u,\n) {\n    let a = group.x + id.y;\n}\n";
        let told = in_pieces(wgsl, [8, 4, 1], 1).unwrap();
        assert!(
            told.contains("@builtin(workgroup_id) group_in_piece: vec3u"),
            "{told}"
        );
        assert!(
            told.contains("{\n    let group = group_in_piece + perwatt_first_workgroup.xyz;\n    let id = id_in_piece"),
            "{told}"
        );
        assert!(told.contains("return a; }\n@compute"), "{told}");
        naga::front::wgsl::parse_str(&told).unwrap();
        assert_eq!(
            in_pieces("@compute @workgroup_size(1) fn main() {}", [1; 3], 0),
            None
        );
        let counted = "@compute @workgroup_size(1) fn main(@builtin(num_workgroups) n: vec3u) {}";
        assert_eq!(in_pieces(counted, [1; 3], 0), None);
        let spaced = "@compute @workgroup_size(1) fn main(@builtin(workgroup_id) g: vec3u, \
                      @builtin( global_invocation_id ) i: vec3u) {}";
        assert_eq!(in_pieces(spaced, [1; 3], 0), None);
    }

    #[test]
    fn pieces_make_the_whole() {
        for (grid, count) in [
            ([7, 1, 1], 3),
            ([2, 65_535, 4], 40),
            ([1, 1, 1], 9),
            ([3, 3, 3], 1),
        ] {
            let all = pieces(grid, count);
            assert!(all.len() <= count.max(1) as usize, "{grid:?}");
            let side = longest(grid);
            let mut next = 0;
            for piece in all {
                assert_eq!(piece.first[side], next);
                next += piece.workgroups[side];
            }
            assert_eq!(next, grid[side]);
        }
    }

    /// A device by how long so many rows of a whole take, in seconds.
    type Model = fn(f64, f64) -> f64;

    #[test]
    fn the_time_of_a_compiler_is_not_that_of_a_dispatch() {
        let mut compiled = false;
        let taken = take(64, Seconds(0.5), |rows| {
            let compiling = if std::mem::replace(&mut compiled, true) {
                0.0
            } else {
                11.0
            };
            Ok::<_, ()>(Duration::from_secs_f64(compiling + 1e-5 * f64::from(rows)))
        });
        assert!(
            matches!(taken, Ok(Taken::InPieces { count: 1, each }) if each.get() < 1e-3),
            "{taken:?}"
        );
    }

    #[test]
    fn pieces_are_made_by_the_clocks_of_a_busy_device() {
        // By how much slower an H200 runs at the clock at which it idles.
        let idle = 1980.0 / 345.0;
        let taken = |whole_s: f64, can_be_busy: bool| {
            let mut slower = idle;
            let take = |slower: &mut f64| {
                take(1000, Seconds(0.5), |rows| {
                    let took_s = *slower * whole_s * f64::from(rows) / 1000.0;
                    Ok::<_, ()>(Duration::from_secs_f64(took_s))
                })
            };
            let busy = |slower: &mut f64| {
                if can_be_busy {
                    *slower = 1.0;
                }
                Ok(can_be_busy)
            };
            match take_on_busy(&mut slower, take, busy).unwrap() {
                Taken::InPieces { count, .. } => (count, slower < idle),
                Taken::NotAtAll(row) => panic!("{row}"),
            }
        };
        assert_eq!(
            taken(0.01, true),
            (1, false),
            "no time is lost where it fits"
        );
        assert_eq!(taken(0.1, true), (1, true));
        assert!(taken(0.1, false).0 > 1);
        assert!(taken(1.0, true).0 > 1);
    }

    #[test]
    fn nothing_is_measured_that_a_watchdog_would_end() {
        let models: [(&str, Model); 5] = [
            ("even", |rows, all| rows / all),
            ("heavier towards the end", |rows, all| (rows / all).powi(2)),
            ("lighter towards the end", |rows, all| (rows / all).sqrt()),
            ("steps of waves", |rows, all| {
                (rows / all * 20.0).ceil() / 20.0
            }),
            ("beyond a cache", |rows, all| {
                rows / all - 0.6 * (rows / all).min(0.1)
            }),
        ];
        let most = Seconds(0.5);
        for (name, model) in models {
            for whole_s in [1e-5, 1e-3, 0.03, 0.2, 0.6, 2.0, 30.0] {
                for rows in [1, 5, 64, 1000, 65_535] {
                    let mut longest = 0.0_f64;
                    let mut runs = 0;
                    let what = format!("{name}, {rows} rows, {whole_s} s");
                    let taken = take(rows, most, |part| {
                        let took = 20e-6 + whole_s * model(part.into(), rows.into());
                        longest = longest.max(took);
                        runs += 1;
                        Ok::<_, ()>(Duration::from_secs_f64(took))
                    })
                    .unwrap();
                    // The first part is the least that there is; nothing says how long it will be.
                    let first = 20e-6 + whole_s * model(f64::from(rows.div_ceil(512)), rows.into());
                    assert!(longest <= most.get().max(first), "{what}: {longest} s");
                    assert!(runs <= 10, "{what}: {runs}");
                    match taken {
                        Taken::InPieces { count, each } => {
                            let all_s = each.get() * f64::from(count);
                            assert!(all_s * MARGIN >= whole_s, "{what}: {all_s} s");
                            let pieces = pieces([rows, 1, 1], count);
                            let ends = pieces
                                .iter()
                                .map(|p| (p.first[0], p.first[0] + p.workgroups[0]));
                            for (from, to) in ends {
                                let at = |row: u32| whole_s * model(row.into(), rows.into());
                                let took = at(to) - if from == 0 { 0.0 } else { at(from) };
                                let row =
                                    whole_s * model(1.0, rows.into()).max(1.0 / f64::from(rows));
                                let most = most.get().max(3.0 * row);
                                assert!(took <= most, "{what}: a piece of {count} takes {took} s");
                            }
                        }
                        Taken::NotAtAll(row) => {
                            assert!(row > most, "{what}: {row:?}");
                        }
                    }
                }
            }
        }
    }
}
