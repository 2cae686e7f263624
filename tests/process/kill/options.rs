//! Options of the kill test.

use std::fmt;

/// Kills in one scenario.
pub(crate) const KILLS: usize = 25;

/// The options, from the environment variables that `scripts/killtest` sets.
pub(crate) struct KillOptions {
    /// The seed of the first scenario. The next ones count up from it.
    pub seed: u64,
    /// Kills in all scenarios together.
    pub kills: usize,
}

/// The options of one scenario.
#[derive(Clone, Copy)]
pub(crate) struct ScenarioOptions {
    pub seed: u64,
    pub kills: usize,
}

impl KillOptions {
    /// Reads `KILLTEST_ROUNDS`, the number of kills (default: 100), and `KILLTEST_SEED` (default: a
    /// random seed).
    pub(crate) fn from_environment() -> KillOptions {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, which is no number")))
        };
        KillOptions {
            seed: number("KILLTEST_SEED").unwrap_or_else(|| rand::random::<u32>().into()),
            kills: number("KILLTEST_ROUNDS").map_or(100, |kills| kills as usize),
        }
    }

    /// Splits the kills into scenarios.
    pub(crate) fn scenarios(&self) -> Vec<ScenarioOptions> {
        let starts = (0..self.kills).step_by(KILLS).zip(self.seed..);
        starts
            .map(|(before, seed)| ScenarioOptions { seed, kills: KILLS.min(self.kills - before) })
            .collect()
    }
}

impl ScenarioOptions {
    /// The command that runs this scenario alone. It repeats the random choices, but not the
    /// machine's timing.
    pub(crate) fn command(self) -> String {
        format!("scripts/killtest --rounds {} --seed {}", self.kills, self.seed)
    }
}

impl fmt::Display for KillOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KillOptions { seed, kills } = self;
        write!(f, "{kills} kills, {KILLS} in a scenario, from seed {seed}")
    }
}

impl fmt::Display for ScenarioOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scenario {}", self.seed)
    }
}
