//! Waiting for conditions instead of sleeping.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use crate::TestError;

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks every few milliseconds until `check` answers `Ok`, and returns that value.
///
/// `check` answers `Err(what it saw)` while the condition does not hold; the last such text is part of the failure, so make it
/// say enough to understand the failed test. A `check` that hangs is cut off at the deadline.
///
/// # Errors
/// [`TestError::Deadline`] when the condition did not hold in time.
pub async fn wait_until<T>(deadline: Duration, what: &str, mut check: impl AsyncFnMut() -> Result<T, String>) -> Result<T, TestError> {
    let started = Instant::now();
    let end = started + deadline;
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_seen = "nothing, the first look did not finish".to_owned();
    loop {
        ticks.tick().await;
        match timeout_at(end, check()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(seen)) => last_seen = seen,
            Err(_) => {}
        }
        if Instant::now() >= end {
            return Err(TestError::Deadline { what: what.to_owned(), waited: started.elapsed(), last_seen });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn returns_the_first_value_that_holds() {
        let mut looks = 0;
        let value = wait_until(Duration::from_secs(5), "three looks", async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(format!("{looks} looks")) }
        })
        .await
        .unwrap();
        assert_eq!(value, 3);
    }

    #[tokio::test]
    async fn failure_shows_what_was_seen_last() {
        let error = wait_until::<()>(Duration::from_millis(50), "the impossible", async || Err("only this".to_owned())).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("the impossible") && text.contains("only this"), "{text}");
    }

    #[tokio::test]
    async fn a_check_that_hangs_is_cut_off() {
        let error = wait_until::<()>(Duration::from_millis(50), "an answer", async || std::future::pending().await).await.unwrap_err();
        assert!(matches!(error, TestError::Deadline { .. }), "{error}");
    }
}
