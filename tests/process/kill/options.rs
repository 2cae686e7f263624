//! Options of the kill test.

use std::fmt;

/// How many scenarios there are at least, if there are as many kills: each has another destination,
/// Log API and arrival of events than its neighbour.
const SCENARIOS: usize = 4;

/// The most kills in one scenario.
const MOST_KILLS: usize = 25;

/// The options, from the environment variables that `scripts/killtest` sets.
pub(crate) struct KillOptions {
    /// The seed of the first scenario. The next ones count up from it.
    pub seed: u64,
    /// Kills in all scenarios together.
    pub kills: usize,
    /// How many scenarios share the kills.
    scenarios: usize,
}

/// The options of one scenario.
#[derive(Clone, Copy)]
pub(crate) struct ScenarioOptions {
    pub seed: u64,
    pub kills: usize,
}

impl KillOptions {
    /// Reads `KILLTEST_ROUNDS`, the number of kills (default: 25), `KILLTEST_SEED` (default: a random
    /// seed) and `KILLTEST_SCENARIOS` (default: four, and more for over 100 kills).
    pub(crate) fn from_environment() -> KillOptions {
        let number = |name: &str| -> Option<u64> {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, which is no number")))
        };
        let kills = number("KILLTEST_ROUNDS").map_or(25, |kills| kills as usize);
        KillOptions {
            seed: number("KILLTEST_SEED").unwrap_or_else(|| rand::random::<u32>().into()),
            kills,
            scenarios: number("KILLTEST_SCENARIOS")
                .map_or(SCENARIOS.max(kills.div_ceil(MOST_KILLS)), |scenarios| scenarios as usize),
        }
    }

    /// Splits the kills into scenarios.
    pub(crate) fn scenarios(&self) -> Vec<ScenarioOptions> {
        let most = self.kills.div_ceil(self.scenarios.max(1)).max(1);
        let starts = (0..self.kills).step_by(most).zip(self.seed..);
        starts
            .map(|(before, seed)| ScenarioOptions { seed, kills: most.min(self.kills - before) })
            .collect()
    }
}

impl ScenarioOptions {
    /// The command that runs this scenario alone. It repeats the choices, but not the machine's
    /// timing.
    pub(crate) fn command(self) -> String {
        let ScenarioOptions { seed, kills } = self;
        format!("scripts/killtest --rounds {kills} --scenarios 1 --seed {seed}")
    }
}

impl fmt::Display for KillOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KillOptions { seed, kills, .. } = self;
        write!(f, "{kills} kills in {} scenarios, from seed {seed}", self.scenarios().len())
    }
}

impl fmt::Display for ScenarioOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scenario {}", self.seed)
    }
}
