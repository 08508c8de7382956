//! How the hashing threads stand back behind those that answer requests.

/// The priority of the hashing threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// That of requests, for tests.
    Normal,
    /// A tenth of the share of a request, see nice(2). For machines where others compete for the cores as well.
    Low,
    /// `Idle` while there is something that nobody else wants, `Low` while there is not.
    Auto,
    /// What nobody else wants, see `SCHED_IDLE` in sched(7): a request preempts a hash the moment that it arrives, and a core
    /// that only hashes counts as free. Under `Low` a hash may first use up its slice of some milliseconds. Where
    /// anything else wants all cores all the time, logins come to a halt.
    Idle,
}

impl std::str::FromStr for Priority {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "low" => Ok(Self::Low),
            "idle" => Ok(Self::Idle),
            _ => Err("write auto, low or idle".to_owned()),
        }
    }
}

impl Priority {
    /// Gives the calling thread this priority.
    #[cfg(target_os = "linux")]
    pub(super) fn take(self) {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
            set_thread_priority_and_policy, thread_native_id,
        };
        // The mildest that nice(2) would still call polite.
        const NICE: i32 = 10;
        let taken = match self {
            Self::Normal | Self::Auto => Ok(()),
            Self::Low => rustix::process::nice(NICE)
                .map(drop)
                .map_err(|error| error.to_string()),
            Self::Idle => set_thread_priority_and_policy(
                thread_native_id(),
                ThreadPriority::Min,
                ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
            )
            .map_err(|error| error.to_string()),
        };
        if let Err(error) = taken {
            tracing::warn!(error, "password hashing runs with the priority of requests");
        }
    }

    /// Nothing: other systems name priorities otherwise.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn take(self) {}
}
