//! The studies of the paper run on a small model of random weights, hold what they must, and lose nothing when they are interrupted.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use common::{rpiq, text, write_text_model};
use serde_json::Value;

const SEEDS: usize = 2;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        write_text_model(folder.path(), "qwen3");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn arguments(&self, study: &str) -> Vec<String> {
        let (model, out, words) = (self.path("model"), self.path("out"), self.path("text.txt"));
        let words = text(&words);
        let mut arguments = vec!["study", study, text(&model), "--out", text(&out), "--calibration", words];
        arguments.extend([
            "--sequences",
            "32",
            "--seq-len",
            "32",
            "--held-out",
            "4",
            "--group-size",
            "32",
            "--rounds",
            "2",
        ]);
        arguments.extend(["--backend", "cpu", "--seeds", "2"]);
        if study != "memory" {
            arguments.extend(["--perplexity", words, "--windows", "1"]);
        }
        arguments.into_iter().map(String::from).collect()
    }

    /// Runs a study to its end: what its JSON file holds.
    fn study(&self, study: &str) -> Value {
        let arguments = self.arguments(study);
        let output = rpiq(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let svg = fs::read_to_string(self.path("out").join(format!("{study}.svg"))).expect("drawn");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
        let json = fs::read(self.path("out").join(format!("{study}.json"))).expect("written");
        serde_json::from_slice(&json).expect("JSON")
    }

    /// The files of finished runs, and when they were written.
    fn runs(&self) -> Vec<(PathBuf, SystemTime)> {
        let Ok(entries) = fs::read_dir(self.path("out/runs/model")) else { return Vec::new() };
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .map(|path| (path.clone(), fs::metadata(&path).and_then(|m| m.modified()).expect("known")))
            .collect();
        files.sort();
        files
    }
}

fn points<'a>(study: &'a Value, series: &str) -> Vec<&'a Value> {
    let points = study["models"][0]["points"].as_array().expect("points");
    points.iter().filter(|point| point["series"] == series).collect()
}

fn values(points: &[&Value]) -> Vec<f64> {
    points.iter().map(|point| point["value"].as_f64().expect("a number")).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(|n| n.as_f64().expect("a number")).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().filter(|n| n.is_finite()).expect("a finite number")
}

/// Whether two JSON values are the same but for the last digits of numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Number(_), Value::Number(_)) => (number(a) - number(b)).abs() <= 1e-12 * number(a).abs(),
        _ => a == b,
    }
}

/// What every point of every study must hold.
fn measured(study: &Value, expected: usize) {
    let model = &study["models"][0];
    assert_eq!((&model["layers"], &model["held_out_sequences"]), (&Value::from(14), &Value::from(4)));
    assert!(number(&model["full_precision_perplexity"]) > 1.0);
    let names: Vec<&str> =
        model["baselines"].as_array().expect("baselines").iter().filter_map(|b| b["series"].as_str()).collect();
    assert_eq!(names, ["RTN", "GPTQ", "RPIQ"]);
    let all = model["points"].as_array().expect("points");
    assert_eq!(all.len(), expected);
    for point in all.iter().chain(model["baselines"].as_array().expect("baselines")) {
        let comparison = &point["against_gptq"];
        assert_eq!(comparison["layers"], 14, "{point}");
        assert!((0.01..10.0).contains(&number(&comparison["mean_ratio"])), "{point}");
        // Round to nearest has no GPTQ beside it.
        if point["series"] != "RTN" {
            let own = number(&point["on_own_inputs"]["held_out"]);
            assert!(own > 0.0 && own < 1.0, "{point}");
        }
        assert!(number(&point["perplexity"]) > 1.0 && number(&point["seconds"]) > 0.0, "{point}");
    }
    let ratio = |n: usize| number(&model["baselines"][n]["against_gptq"]["mean_ratio"]);
    assert!((ratio(1) - 1.0).abs() < 1e-12 && ratio(0) > 1.0 && ratio(2) < 1.0);
}

#[test]
fn iterations_and_steps_show_what_is_lost_on_the_grid() {
    let bench = Bench::new();
    let study = bench.study("iterations");
    measured(&study, 6 + 5);
    let (ours, papers) = (points(&study, "RPIQ"), points(&study, "paper"));
    assert_eq!(
        (values(&ours), values(&papers)),
        (vec![0.0, 1.0, 3.0, 5.0, 10.0, 20.0], vec![1.0, 3.0, 5.0, 10.0, 20.0])
    );
    for point in &papers {
        let (rounds, gammas) = (number(&point["value"]) as usize, numbers(&point["gamma_off_grid"]));
        assert!(gammas.len() <= rounds + 1 && gammas[0] == 1.0);
        assert!(gammas.windows(2).all(|pair| pair[1] < pair[0]), "Γ falls off the grid: {gammas:?}");
        assert_eq!(numbers(&point["gamma_packed"]).len(), gammas.len());
        assert!(number(&point["off_grid_against_gptq"]) > 0.0);
    }
    let long = numbers(&ours[5]["gamma_packed"]);
    assert!(long.len() > 2 && *long.last().expect("a round") < 0.97, "Γ falls on the grid: {long:?}");
    assert_eq!(number(&ours[0]["rounds"]), 0.0);

    // What is there is not run again, and says the same.
    let before = bench.runs();
    assert_eq!(before.len(), 3 + 11 + 1);
    assert!(same(&bench.study("iterations"), &study));
    assert_eq!(bench.runs(), before);
    let others = fs::read_dir(bench.path("out/runs/model")).expect("readable").count() - before.len();
    assert_eq!(others, 0, "weights and parts are gone");

    let study = bench.study("alpha");
    measured(&study, 6);
    let steps = points(&study, "paper");
    assert_eq!(values(&steps), [0.01, 0.05, 0.1, 0.25, 0.5, 1.0]);
    let last = |point: &Value, curve: &str| *numbers(&point[curve]).last().expect("a start");
    assert!(last(steps[0], "gamma_off_grid") < 0.999 && (last(steps[0], "gamma_packed") - 1.0).abs() < 1e-2);
    assert!(last(steps[3], "gamma_off_grid") < last(steps[0], "gamma_off_grid"));
    assert_eq!(bench.runs().len(), before.len() + 6, "baselines are shared");
}

#[test]
fn selections_and_orders_vary_and_are_summed_up() {
    let bench = Bench::new();
    let study = bench.study("calibration");
    measured(&study, 3 * SEEDS);
    let spreads = study["models"][0]["spreads"].as_array().expect("spreads").clone();
    assert_eq!(
        spreads.iter().map(|s| s["series"].as_str().expect("text")).collect::<Vec<_>>(),
        ["GPTQ", "RPIQ", "paper"]
    );
    for spread in &spreads {
        let of = |field: &str| number(&spread[field]);
        assert_eq!(spread["runs"], SEEDS);
        assert!(of("deviation") > 0.0 && of("smallest") < of("mean") && of("mean") < of("largest"), "{spread}");
    }

    let study = bench.study("order");
    measured(&study, (2 + SEEDS) + (1 + SEEDS) + 2 * 3);
    assert_eq!(values(&points(&study, "RPIQ")), [-1.0, 0.0, 1.0, 2.0]);
    assert_eq!(values(&points(&study, "paper")), [0.0, 1.0, 2.0]);
    let errors = |series: &str| -> Vec<f64> {
        points(&study, series).iter().map(|point| number(&point["on_own_inputs"]["held_out"])).collect()
    };
    for series in ["RPIQ", "RPIQ, batches in turn"] {
        let errors = errors(series);
        assert!(
            errors.windows(2).all(|pair| pair[0] != pair[1]),
            "{series}: another order is another result: {errors:?}"
        );
    }
    assert_eq!(values(&points(&study, "paper, batches in turn")), [1.0, 2.0, 4.0]);
    assert_eq!(values(&points(&study, "RPIQ, batches in turn")), [1.0, 2.0, 4.0]);
}

#[test]
fn memory_is_measured_by_method() {
    let bench = Bench::new();
    let study = bench.study("memory");
    let rows = study["rows"].as_array().expect("rows");
    assert_eq!(
        rows.iter().filter_map(|row| row["method"].as_str()).collect::<Vec<_>>(),
        ["full precision", "gptq", "rpiq"]
    );
    let bytes = |row: usize, field: &str| rows[row][field].as_u64().expect("a number");
    assert!(bytes(1, "file_bytes") < bytes(0, "file_bytes") && bytes(1, "file_bytes") == bytes(2, "file_bytes"));
    assert!(3 * bytes(1, "block_bytes") < 2 * bytes(0, "block_bytes"));
    for row in [1, 2] {
        assert!(number(&rows[row]["seconds_per_block"]) > 0.0 && rows[row]["blocks"] == 2);
        assert!(bytes(row, "loaded_bytes") < bytes(0, "loaded_bytes"));
        if cfg!(target_os = "linux") {
            assert!(bytes(row, "peak_bytes") <= bytes(row, "planned_bytes"), "{study}");
            assert!(bytes(row, "resident_bytes") > bytes(row, "loaded_bytes"));
        }
    }
    assert!(same(&bench.study("memory"), &study), "rows are kept");
}

#[test]
fn an_interrupted_study_keeps_the_runs_that_have_ended() {
    let bench = Bench::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rpiq"))
        .args(bench.arguments("iterations"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    while bench.runs().len() < 3 {
        std::thread::sleep(Duration::from_millis(2));
        assert!(child.try_wait().expect("known").is_none_or(|status| status.success()));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let before = bench.runs();
    assert!(before.len() < 15 && !bench.path("out/iterations.json").exists());
    measured(&bench.study("iterations"), 11);
    let after = bench.runs();
    assert!(before.iter().all(|kept| after.contains(kept)), "{before:?} {after:?}");
}

#[test]
fn some_blocks_alone_make_a_model_that_runs() {
    let bench = Bench::new();
    let (model, out, words) = (bench.path("model"), bench.path("packed"), bench.path("text.txt"));
    let quantize = ["quantize", text(&model), text(&out), "--calibration", text(&words), "--blocks", "1"];
    let size = ["--sequences", "8", "--seq-len", "32", "--held-out", "2", "--group-size", "32", "--backend", "cpu"];
    let output = rpiq(&[&quantize[..], &size].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let packed = sightread_models::checkpoint::Checkpoint::open(Path::new(&out)).expect("opens");
    let names = packed.tensors.names();
    assert_eq!(names.iter().filter(|name| name.ends_with(".qweight")).count(), 7);
    assert!(names.iter().any(|name| name == "model.layers.1.mlp.down_proj.weight"));
    let eval = rpiq(&["eval", text(&out), "--perplexity", text(&words), "--windows", "1", "--backend", "cpu"]);
    assert!(eval.status.success(), "{}", String::from_utf8_lossy(&eval.stderr));
}
