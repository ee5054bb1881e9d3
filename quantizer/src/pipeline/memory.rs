//! What a run will need, before it starts.

use std::fmt;
use std::fs;

use sightread_models::text::BlockStack;

use super::network::{Network, StackSize};
use super::options::QuantizeOptions;

const FLOAT: u64 = 4;
const HALF: u64 = 2;
/// Program, tokenizer, thread stacks and the allocator's slack.
const FIXED: u64 = 300 << 20;

/// Bytes of the largest things a run holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryPlan {
    /// One block in full precision and the same one quantized.
    pub weights: u64,
    /// Activations of all sequences between two stages.
    pub activations: u64,
    /// Activations on disk instead.
    pub spilled: u64,
    /// Hessians and the like of the widest stage, factors included, with what its layers are made in.
    pub moments: u64,
    /// One sequence inside a block.
    pub working: u64,
    /// Everything in memory at the worst moment.
    pub total: u64,
    /// Free now, where the system tells.
    pub available: Option<u64>,
}

impl MemoryPlan {
    /// Adds up a run over `network`, whose activations go to disk if `spill`: its most demanding stack counts.
    pub fn new(network: &dyn Network, options: &QuantizeOptions, spill: bool) -> Self {
        let stacks = network.stacks().into_iter().enumerate();
        let plans = stacks.map(|(n, stack)| Self::of_stack(stack, network.size(n), options, spill));
        let plan = plans.max_by_key(|plan| plan.total).unwrap_or_default();
        Self { available: available_memory(), ..plan }
    }

    fn of_stack(stack: &dyn BlockStack, size: StackSize, options: &QuantizeOptions, spill: bool) -> Self {
        let stages = stack.stages();
        let shapes = || stages.iter().flatten().map(|&(_, from, to)| (from as u64, to as u64));
        let area =
            |layers: &[(&str, usize, usize)]| layers.iter().map(|&(_, from, to)| (from * to) as u64).sum::<u64>();
        let areas = || stages.iter().map(|stage| area(stage));
        let weights = 2 * FLOAT * (areas().sum::<u64>() + size.kept);
        let widest = shapes().map(|(from, _)| from).max().unwrap_or(0);
        let largest = shapes().map(|(from, to)| from * to).max().unwrap_or(0);
        let largest_stage = areas().max().unwrap_or(0);

        let fp_tokens = if options.needs_full_precision_stream() { size.tokens } else { size.held_out_tokens };
        let activations = (size.tokens + fp_tokens) * (FLOAT * size.hidden + HALF * widest);
        // A factor is made of the Hessian in twice its size, and copied; held out: H, G and energy, when those are gone.
        let squares = if options.needs_hessian() { 4 + options.kept_snapshots() as u64 } else { 3 };
        // Weights, targets and candidates of a stage; residuals and differences of one layer, or its target being solved in f64.
        let layers = 3 * largest_stage + 4 * largest;
        let moments = FLOAT * (squares * widest * widest + layers);
        // Scores of attention, twice, and a dozen rows of the widest activation.
        let working = FLOAT * size.longest * (2 * size.heads * size.longest + 12 * widest);
        let in_memory = if spill { 0 } else { activations };
        let total = FIXED + (weights + in_memory + moments + working).max(size.at_start + in_memory);
        Self {
            weights,
            activations: in_memory,
            spilled: activations - in_memory,
            moments,
            working,
            total,
            available: None,
        }
    }

    /// Whether the run fits in what is free, as far as the system tells.
    pub fn fits(&self) -> bool {
        self.available.is_none_or(|available| self.total <= available)
    }
}

impl fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        write!(
            f,
            "memory plan: {} MiB (weights {}, activations {}, Hessians {}, working {})",
            mib(self.total),
            mib(self.weights),
            mib(self.activations),
            mib(self.moments),
            mib(self.working)
        )?;
        if self.spilled > 0 {
            write!(f, ", {} MiB on disk", mib(self.spilled))?;
        }
        match self.available {
            Some(available) => write!(f, "; {} MiB free", mib(available)),
            None => Ok(()),
        }
    }
}

/// Memory that can be had without swapping. Only Linux tells without another library; elsewhere nothing is refused.
pub fn available_memory() -> Option<u64> {
    kibibytes("/proc/meminfo", "MemAvailable:")
}

/// Largest resident size of this process so far, on Linux.
pub fn peak_memory() -> Option<u64> {
    kibibytes("/proc/self/status", "VmHWM:")
}

/// Resident size of this process now, on Linux.
pub fn resident_memory() -> Option<u64> {
    kibibytes("/proc/self/status", "VmRSS:")
}

fn kibibytes(file: &str, field: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
