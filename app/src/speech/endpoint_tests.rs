//! The detector on synthetic sound: bursts like syllables, pauses, hum, clicks, clipping, silence.

use std::f32::consts::TAU;

use super::*;

const SECOND: usize = RATE as usize;

/// White noise that is the same at every run.
fn noise(len: usize, rms: f32) -> Vec<f32> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * rms * 3_f32.sqrt()
    };
    (0..len).map(next).collect()
}

/// Four syllables a second: a voiced tone with overtones that swells and fades.
fn speech(seconds: f32, loudness: f32) -> Vec<f32> {
    let sample = |n: usize| {
        let t = n as f32 / RATE as f32;
        let swell = (TAU * 2.0 * t).sin().abs().powi(2);
        let voice: f32 = (1..12).map(|k| (TAU * 140.0 * k as f32 * t).sin() / k as f32).sum();
        loudness * swell * voice
    };
    (0..(seconds * RATE as f32) as usize).map(sample).collect()
}

fn hum(len: usize, loudness: f32) -> Vec<f32> {
    let sample = |n: usize| {
        let t = n as f32 / RATE as f32;
        loudness * [100.0, 200.0, 400.0, 900.0].iter().map(|f| (TAU * f * t).sin()).sum::<f32>() / 4.0
    };
    (0..len).map(sample).collect()
}

fn mix(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// What is heard, in pieces of a size that fits no frame.
fn listen(sound: &[f32]) -> Vec<Heard> {
    let mut ear = Endpointer::default();
    sound.chunks(777).flat_map(|piece| ear.push(piece)).collect()
}

fn utterances(sound: &[f32]) -> Vec<usize> {
    let length = |heard| match heard {
        Heard::Speech { samples, .. } => Some(samples.len()),
        _ => None,
    };
    listen(sound).into_iter().filter_map(length).collect()
}

/// Room noise with speech at the given seconds.
fn room(seconds: f32, rms: f32, spoken: &[(f32, f32)]) -> Vec<f32> {
    let mut sound = noise((seconds * RATE as f32) as usize, rms);
    for &(from, length) in spoken {
        let start = (from * RATE as f32) as usize;
        for (out, voice) in sound[start..].iter_mut().zip(speech(length, 0.2)) {
            *out += voice;
        }
    }
    sound
}

fn about(samples: usize, seconds: f32) -> bool {
    (samples as f32 / RATE as f32 - seconds).abs() < 0.45
}

#[test]
fn speech_is_found_in_quiet_and_in_noise_with_a_margin_around_it() {
    for rms in [0.0, 0.0005, 0.003, 0.01] {
        let found = utterances(&room(8.0, rms, &[(4.0, 1.5)]));
        assert_eq!(found.len(), 1, "noise {rms}");
        assert!(about(found[0], 1.5 + 0.4), "noise {rms}: {found:?}");
    }
}

#[test]
fn somebody_who_speaks_at_once_is_heard_from_the_first_word() {
    let found = utterances(&room(4.0, 0.001, &[(0.0, 1.5)]));
    assert!(found.len() == 1 && about(found[0], 1.6), "{found:?}");
}

#[test]
fn a_breath_does_not_end_a_question_and_a_pause_does() {
    assert_eq!(utterances(&room(9.0, 0.001, &[(3.5, 1.0), (4.9, 1.0)])).len(), 1);
    assert_eq!(utterances(&room(9.0, 0.001, &[(3.5, 1.0), (5.7, 1.0)])).len(), 2);
}

#[test]
fn the_end_comes_soon_after_the_last_word() {
    let sound = room(8.0, 0.001, &[(4.0, 1.5)]);
    let mut ear = Endpointer::default();
    let ended = sound.chunks(FRAME).position(|frame| matches!(ear.push(frame).as_slice(), [Heard::Speech { .. }]));
    let seconds = ended.map(|frame| frame as f32 / FPS as f32).unwrap_or_default();
    assert!((5.5..6.25).contains(&seconds), "{seconds}");
}

#[test]
fn silence_and_even_sounds_are_no_speech() {
    assert_eq!(listen(&vec![0.0; 10 * SECOND]), []);
    assert_eq!(listen(&noise(10 * SECOND, 0.0005)), []);
    let begins = [noise(5 * SECOND, 0.0005), hum(10 * SECOND, 0.2)].concat();
    assert_eq!(utterances(&begins), Vec::<usize>::new());
    let loud_room = noise(12 * SECOND, 0.05);
    assert_eq!(utterances(&loud_room), Vec::<usize>::new());
}

#[test]
fn speech_is_heard_over_a_hum_that_stays() {
    let sound = mix(&room(12.0, 0.0005, &[(8.0, 1.5)]), &hum(12 * SECOND, 0.02));
    let found = utterances(&sound);
    assert!(found.len() == 1 && about(found[0], 1.9), "{found:?}");
}

#[test]
fn a_click_is_noise() {
    let mut sound = noise(6 * SECOND, 0.0005);
    sound[4 * SECOND..4 * SECOND + 800].fill(0.8);
    sound[4 * SECOND + 300..4 * SECOND + 500].fill(-0.8);
    assert_eq!(utterances(&sound), Vec::<usize>::new());
}

#[test]
fn clipped_speech_is_still_speech() {
    let clipped: Vec<f32> = room(8.0, 0.001, &[(4.0, 1.5)]).iter().map(|s| (s * 30.0).clamp(-1.0, 1.0)).collect();
    let found = utterances(&clipped);
    assert!(found.len() == 1 && about(found[0], 1.9), "{found:?}");
}

#[test]
fn endless_speech_is_cut_at_the_limit_and_goes_on() {
    let heard = listen(&room(50.0, 0.001, &[(2.0, 40.0)]));
    let cuts: Vec<bool> =
        heard.iter().filter_map(|h| if let Heard::Speech { cut, .. } = h { Some(*cut) } else { None }).collect();
    assert_eq!(cuts, [true, false]);
    assert!(heard.iter().all(|h| !matches!(h, Heard::Speech { samples, .. } if samples.len() > LONGEST)));
}

#[test]
fn broken_samples_harm_nothing() {
    let mut sound = room(9.0, 0.001, &[(5.0, 1.5)]);
    sound[SECOND..SECOND + 50].fill(f32::NAN);
    sound[2 * SECOND..2 * SECOND + 50].fill(f32::INFINITY);
    assert_eq!(utterances(&sound).len(), 1);
}

#[test]
fn forgetting_drops_the_utterance_under_way() {
    let sound = room(8.0, 0.001, &[(4.0, 1.5)]);
    let mut ear = Endpointer::default();
    ear.push(&sound[..5 * SECOND]);
    assert!(ear.speaking());
    ear.forget();
    assert!(!ear.speaking());
}
