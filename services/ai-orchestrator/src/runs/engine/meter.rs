//! What a run has used, held against its limits before each call.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::Halt;
use crate::runs::{RunLimits, RunUsage};

/// The most tokens of one answer.
const ANSWER: u64 = 2048;
/// Fewer tokens than these are no answer.
const LEAST_ANSWER: u64 = 16;

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    steps: u64,
    tool_calls: u64,
    tokens: u64,
    cost: i64,
}

impl From<RunUsage> for Used {
    fn from(usage: RunUsage) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Self {
            steps: count(usage.steps.into()),
            tool_calls: count(usage.tool_calls.into()),
            tokens: count(usage.prompt_tokens + usage.completion_tokens),
            cost: usage.cost_micros,
        }
    }
}

/// The meter of one walk.
pub(crate) struct Meter {
    limits: RunLimits,
    before: Duration,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: Used,
    /// Tokens of questions in flight.
    reserved: u64,
    calls: HashMap<String, u32>,
    warned: BTreeSet<&'static str>,
}

impl Meter {
    /// A meter that goes on from what was used before.
    pub(crate) fn new(limits: RunLimits, used: Used, worked_ms: i64) -> Self {
        let meter = Self {
            limits,
            before: Duration::from_millis(u64::try_from(worked_ms).unwrap_or(0)),
            began: Instant::now(),
            state: Mutex::default(),
        };
        meter.state().used = used;
        // What was near before was told before.
        let _told = meter.warnings();
        meter
    }

    /// How long the run was worked on, in milliseconds.
    pub(crate) fn worked_ms(&self) -> i64 {
        i64::try_from((self.before + self.began.elapsed()).as_millis()).unwrap_or(i64::MAX)
    }

    /// How long it may still be worked on, from the beginning of this walk.
    pub(crate) fn left(&self) -> Duration {
        Duration::from_secs(self.limits.deadline_seconds.into()).saturating_sub(self.before)
    }

    /// Reserves a question of about so many tokens. Answers the most tokens that the answer may have.
    pub(super) fn before_question(&self, estimate: u64) -> Result<u64, Halt> {
        let mut state = self.state();
        self.one_more_step(&state)?;
        if let Some(most) = self.limits.max_cost_micros
            && state.used.cost >= most
        {
            return Err(reached("max_cost_micros", most));
        }
        let taken = state.used.tokens + state.reserved;
        let left = self.limits.max_tokens.saturating_sub(taken);
        if estimate + LEAST_ANSWER > left {
            return Err(reached("max_tokens", self.limits.max_tokens));
        }
        let answer = ANSWER.min(left - estimate);
        state.used.steps += 1;
        state.reserved += estimate + answer;
        Ok(answer)
    }

    /// Settles a question. `reserved` is what it was told to be, with its answer.
    pub(super) fn after_question(&self, reserved: u64, tokens: u64, cost: i64) {
        let mut state = self.state();
        state.reserved = state.reserved.saturating_sub(reserved);
        state.used.tokens += tokens;
        state.used.cost += cost;
    }

    /// Counts a call that was counted before this walk.
    pub(super) fn seen(&self, tool: &str, arguments: &Value) {
        *self.state().calls.entry(same(tool, arguments)).or_default() += 1;
    }

    /// Counts a call.
    pub(super) fn before_call(&self, tool: &str, arguments: &Value) -> Result<(), Halt> {
        let mut state = self.state();
        self.one_more_step(&state)?;
        if state.used.tool_calls >= u64::from(self.limits.max_tool_calls) {
            return Err(reached("max_tool_calls", self.limits.max_tool_calls));
        }
        let key = same(tool, arguments);
        let before = state.calls.get(&key).copied().unwrap_or(0);
        if before >= self.limits.max_identical_calls {
            let message = format!("{tool} was called {before} times with the same arguments");
            return Err(Halt::Limit {
                limit: "max_identical_calls",
                message,
            });
        }
        state.calls.insert(key, before + 1);
        state.used.steps += 1;
        state.used.tool_calls += 1;
        Ok(())
    }

    /// The limits that have come near (80 %) since this was last asked, as events.
    pub(super) fn warnings(&self) -> Vec<(&'static str, Value)> {
        let mut state = self.state();
        let used = state.used;
        let cost = self.limits.max_cost_micros.unwrap_or(i64::MAX);
        let all = [
            ("max_steps", used.steps, self.limits.max_steps.into()),
            (
                "max_tool_calls",
                used.tool_calls,
                self.limits.max_tool_calls.into(),
            ),
            ("max_tokens", used.tokens, self.limits.max_tokens),
            ("max_cost_micros", count(used.cost), count(cost)),
        ];
        let near = all.into_iter().filter(|(_, used, most)| {
            *most > 0 && used.saturating_mul(5) >= most.saturating_mul(4)
        });
        let mut told = Vec::new();
        for (limit, used, most) in near {
            if state.warned.insert(limit) {
                told.push((
                    "limit.warning",
                    json!({ "limit": limit, "used": used, "most": most }),
                ));
            }
        }
        told
    }

    fn one_more_step(&self, state: &State) -> Result<(), Halt> {
        if state.used.steps >= u64::from(self.limits.max_steps) {
            return Err(reached("max_steps", self.limits.max_steps));
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn reached(limit: &'static str, most: impl std::fmt::Display) -> Halt {
    Halt::Limit {
        limit,
        message: format!("the run may have {limit} {most}, and has used it up"),
    }
}

fn same(tool: &str, arguments: &Value) -> String {
    format!("{tool} {arguments}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limits: RunLimits) -> Meter {
        Meter::new(limits, Used::default(), 0)
    }

    fn limit(halt: &Result<(), Halt>) -> &'static str {
        match halt {
            Err(Halt::Limit { limit, .. }) => limit,
            _ => "",
        }
    }

    #[test]
    fn the_same_call_is_made_three_times_and_no_fourth() {
        let meter = meter(RunLimits::default());
        meter.seen("a", &json!({ "x": 1 }));
        for _ in 0..2 {
            meter.before_call("a", &json!({ "x": 1 })).unwrap();
        }
        assert_eq!(
            limit(&meter.before_call("a", &json!({ "x": 1 }))),
            "max_identical_calls"
        );
        meter.before_call("a", &json!({ "x": 2 })).unwrap();
        meter.before_call("b", &json!({ "x": 1 })).unwrap();
    }

    #[test]
    fn questions_in_flight_share_what_is_left() {
        let meter = meter(RunLimits {
            max_tokens: 1000,
            ..RunLimits::default()
        });
        let first = meter.before_question(300).unwrap();
        assert_eq!(first, 700);
        assert!(meter.before_question(1).is_err());
        meter.after_question(1000, 350, 0);
        assert_eq!(meter.before_question(300).unwrap(), 350);
        assert_eq!(limit(&meter.before_question(700).map(drop)), "max_tokens");
    }

    #[test]
    fn a_limit_that_comes_near_is_told_once() {
        let meter = meter(RunLimits {
            max_tool_calls: 5,
            ..RunLimits::default()
        });
        for n in 0..4 {
            assert!(meter.warnings().is_empty());
            meter.before_call("a", &json!(n)).unwrap();
        }
        assert_eq!(meter.warnings().len(), 1);
        assert!(meter.warnings().is_empty());
    }
}
