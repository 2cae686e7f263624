//! What whoever starts the test wants of it.

use std::fmt;

/// Kills in one world.
const KILLS: usize = 25;

/// What is asked for, in variables that `scripts/killtest` sets.
pub(crate) struct Orders {
    /// The first world has this seed, the next ones those that follow.
    pub seed: u64,
    /// Kills in all worlds together.
    pub kills: usize,
}

/// What one world is to go through.
#[derive(Clone, Copy)]
pub(crate) struct WorldOrder {
    pub seed: u64,
    pub kills: usize,
}

impl Orders {
    /// `KILLTEST_ROUNDS` kills, 100 where it is not set, and the seed in `KILLTEST_SEED`, any where
    /// it is not set.
    pub(crate) fn from_environment() -> Orders {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, which is no number")))
        };
        Orders {
            seed: number("KILLTEST_SEED").unwrap_or_else(|| rand::random::<u32>().into()),
            kills: number("KILLTEST_ROUNDS").map_or(100, |kills| kills as usize),
        }
    }

    /// The kills, shared out.
    pub(crate) fn worlds(&self) -> Vec<WorldOrder> {
        let begun = (0..self.kills).step_by(KILLS).zip(self.seed..);
        begun
            .map(|(before, seed)| WorldOrder { seed, kills: KILLS.min(self.kills - before) })
            .collect()
    }
}

impl WorldOrder {
    /// What goes through this world alone once more. Its choices are the same, the machine's are not.
    pub(crate) fn command(self) -> String {
        format!("scripts/killtest --rounds {} --seed {}", self.kills, self.seed)
    }
}

impl fmt::Display for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Orders { seed, kills } = self;
        write!(f, "{kills} kills, {KILLS} in a world, from seed {seed}")
    }
}

impl fmt::Display for WorldOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "world {}", self.seed)
    }
}
