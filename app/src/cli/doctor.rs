//! `sightread doctor`: what this machine offers and whether the model is whole.

use anyhow::bail;
use clap::Args;
use sightread_models::checkpoint::{Manifest, verify};
use sightread_models::cpu::Isa;
use sightread_models::device::Backend;

use super::ModelArgs;
use crate::screen_reader;
use crate::settings::Store;
use crate::setup::{self, Outcome, Part};

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(args: DoctorArgs) -> anyhow::Result<()> {
    let mut problems = 0;
    let mut check = |what: &str, result: Result<String, String>| match result {
        Ok(found) => println!("{what}: {found}"),
        Err(problem) => {
            problems += 1;
            println!("{what}: PROBLEM: {problem}");
        }
    };
    println!("Sightread {}", env!("CARGO_PKG_VERSION"));
    println!("processor kernels: {:?}", Isa::chosen());
    println!("threads: {}", std::thread::available_parallelism().map_or(1, usize::from));
    match Backend::Wgpu.open() {
        Ok(device) => println!("graphics adapter: {}", sightread_models::device::describe(&device)),
        Err(reason) => println!("graphics adapter: none ({reason})"),
    }
    let device = args.model.backend().open().map(|device| sightread_models::device::describe(&device));
    check("networks run on", device.map_err(|e| e.to_string()));

    let folder = args.model.folder();
    check("model folder", folder.as_ref().map(|f| f.display().to_string()).map_err(|e| e.to_string()));
    if let Ok(folder) = folder {
        for half in ["vision", "language"] {
            let whole = verify(&folder.join(half));
            check(&format!("{half} files"), whole.map(|m| hashes(&m)).map_err(|e| e.to_string()));
        }
    }
    let (_, settings, messages) = Store::open();
    check("settings", if messages.is_empty() { Ok("as you left them".into()) } else { Err(messages.join(" ")) });
    for part in Part::ALL {
        let outcome = match part {
            Part::Model => setup::check_models(args.model.model_dir.as_deref(), args.model.backend()),
            part => setup::check(part, &settings.camera),
        };
        let result = match outcome {
            Outcome::Running => Err("the check did not end".into()),
            Outcome::Works(found) => Ok(found),
            Outcome::Problem { what, remedy } => Err(format!("{what}. {remedy}.")),
        };
        check(part.name(), result);
    }
    let reader = if screen_reader::is_running() { "runs" } else { "none is known to run" };
    check("screen reader", Ok(reader.into()));
    if problems > 0 {
        bail!("{problems} things need attention");
    }
    println!("All is well.");
    Ok(())
}

/// The weight files with the first digits of their sha256.
fn hashes(manifest: &Manifest) -> String {
    let weights = manifest.files.iter().filter(|(name, _)| name.ends_with(".safetensors"));
    let list: Vec<String> =
        weights.map(|(name, entry)| format!("{name} {}", entry.sha256.get(..8).unwrap_or_default())).collect();
    format!("as shipped: {}", list.join(", "))
}
