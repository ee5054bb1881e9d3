//! `sightread microphone`: what the microphone hears, to set it up and to find out why nothing is understood.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use crate::speech::listen::{Event, Listener, Mode};
use crate::speech::resample::RATE;
use crate::speech::wav;

#[derive(Debug, Args)]
pub(super) struct MicrophoneArgs {
    /// Ends after this many seconds, instead of with Ctrl-C.
    #[arg(long)]
    seconds: Option<u64>,
    /// Keeps what was said as WAV files in this folder.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
}

pub(super) fn run(args: MicrophoneArgs) -> anyhow::Result<()> {
    if let Some(folder) = &args.save {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let (send, events) = channel();
    let listener = Listener::start(move |event| drop(send.send(event)))?;
    listener.set_mode(Mode::HandsFree);
    let start = Instant::now();
    let mut loudest = f32::NEG_INFINITY;
    let mut count = 0;
    loop {
        let left = args.seconds.map(|seconds| Duration::from_secs(seconds).saturating_sub(start.elapsed()));
        let event = match events.recv_timeout(left.unwrap_or(Duration::from_secs(3600))) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) if left.is_none() => continue,
            Err(_) => break,
        };
        let at = start.elapsed().as_secs_f32();
        match event {
            Event::Ready => println!("{at:.2} s: listening"),
            Event::Lost(reason) => println!("{at:.2} s: lost: {reason}"),
            Event::Began => println!("{at:.2} s: somebody begins to speak"),
            Event::Nothing => println!("{at:.2} s: it was no speech"),
            Event::Level(level) => {
                loudest = loudest.max(level.loudness);
                if level.clipped {
                    println!("{at:.2} s: too loud; move away from the microphone");
                }
            }
            Event::Speech { samples, cut } => {
                let seconds = samples.len() as f32 / RATE as f32;
                let cut = if cut { ", cut at the limit" } else { "" };
                println!("{at:.2} s: {seconds:.2} s of speech{cut}");
                count += 1;
                if let Some(folder) = &args.save {
                    wav::save(&folder.join(format!("{count:03}.wav")), &samples)?;
                }
            }
        }
    }
    match loudest {
        f32::NEG_INFINITY => println!("The microphone gave no sound."),
        loudest => println!("{count} utterances, loudest {loudest:.0} decibels of full scale"),
    }
    Ok(())
}
