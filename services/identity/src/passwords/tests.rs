use std::{sync::atomic::AtomicBool, time::Duration};

use super::*;

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn passwords() -> Passwords {
    Passwords::new(Rng::seeded(1), 0)
}

#[tokio::test]
async fn a_hash_verifies_its_password_and_no_other() {
    let passwords = passwords();
    let stored = passwords
        .hash(&secret("correct horse battery"))
        .await
        .unwrap();
    assert!(
        stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
    let verify = async |text: &str| {
        passwords
            .verify(&secret(text), Some(&stored))
            .await
            .unwrap()
    };
    assert_eq!(
        verify("correct horse battery").await,
        Verdict::Match { outdated: false }
    );
    assert_eq!(verify("correct horse batterY").await, Verdict::Mismatch);
    assert_eq!(verify("").await, Verdict::Mismatch);
    assert_eq!(verify(&"x".repeat(100_000)).await, Verdict::Mismatch);
    assert_eq!(passwords.verifications(), 4);
}

#[tokio::test]
async fn no_hash_and_an_unusable_hash_cost_a_verification_and_match_nothing() {
    let passwords = passwords();
    let unusable = [
        "",
        "plain text",
        "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
        "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=4000000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
    ];
    for stored in std::iter::once(None).chain(unusable.into_iter().map(Some)) {
        assert_eq!(
            passwords.verify(&secret(""), stored).await,
            Ok(Verdict::Mismatch),
            "{stored:?}"
        );
    }
    assert_eq!(passwords.verifications(), 8);
}

#[tokio::test]
async fn a_hash_of_the_service_before_this_one_matches_and_is_outdated() {
    // Made by the reference implementation (argon2-cffi) with that service's parameters and the password "legacy-pass".
    let stored = "$argon2id$v=19$m=65536,t=3,p=4$CYKXTjzlXjzSNJVk/jPwjg$sizdxLKpy+aTuvMa3+VkXSbXO2qXshPVO3Hrr1Zp78A";
    let verdict = passwords()
        .verify(&secret("legacy-pass"), Some(stored))
        .await;
    assert_eq!(verdict, Ok(Verdict::Match { outdated: true }));
}

#[tokio::test]
async fn composed_and_decomposed_accents_are_the_same_password() {
    let passwords = passwords();
    let stored = passwords
        .hash(&secret("Zo\u{eb} und der Fluss"))
        .await
        .unwrap();
    let decomposed = secret("Zoe\u{308} und der Fluss");
    assert_eq!(
        passwords.verify(&decomposed, Some(&stored)).await,
        Ok(Verdict::Match { outdated: false })
    );
}

#[tokio::test]
async fn idle_threads_hash_as_well() {
    let passwords = Passwords::with_priority(Rng::seeded(1), 1, Priority::Idle);
    let verdict = passwords.verify(&secret("guess"), None).await;
    assert!(
        matches!(verdict, Ok(Verdict::Mismatch) | Err(_)),
        "{verdict:?}"
    );
    #[cfg(target_os = "linux")]
    assert!(
        policies().contains(&"5".to_owned()),
        "no thread has SCHED_IDLE: {:?}",
        policies()
    );
}

/// Requests that want all cores slow logins down, and do not bring them to a halt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashes_get_on_while_something_else_wants_all_cores() {
    let (wanted, cores) = (
        Arc::new(AtomicBool::new(true)),
        std::thread::available_parallelism().unwrap().get(),
    );
    let spin = |_| {
        let wanted = Arc::clone(&wanted);
        std::thread::spawn(move || while wanted.load(Ordering::Relaxed) {})
    };
    let spinning: Vec<_> = (0..cores).map(spin).collect();
    let passwords = Passwords::with_priority(Rng::seeded(1), 1, Priority::Auto);
    // It may be the one that finds out.
    let first = {
        let passwords = passwords.clone();
        tokio::spawn(async move { passwords.verify(&secret("guess"), None).await })
    };
    tokio::time::sleep(Duration::from_millis(400)).await;
    for _ in 0..2 {
        let guess = secret("guess");
        let verified = passwords.verify(&guess, None);
        let verified = tokio::time::timeout(Duration::from_secs(10), verified).await;
        assert_eq!(verified, Ok(Ok(Verdict::Mismatch)));
    }
    wanted.store(false, Ordering::Relaxed);
    for thread in spinning {
        thread.join().unwrap();
    }
    assert_eq!(first.await.unwrap(), Ok(Verdict::Mismatch));
}

/// The scheduling policies of the threads of this process, as proc(5) numbers them.
#[cfg(target_os = "linux")]
fn policies() -> Vec<String> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let stat = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("stat")).ok();
    let stats = threads.flatten().filter_map(stat);
    // The 41st field; the second is in brackets and may have spaces.
    let policy = |stat: String| Some(stat.rsplit_once(')')?.1.split(' ').nth(39)?.to_owned());
    stats.filter_map(policy).collect()
}

#[tokio::test]
async fn one_who_asks_too_much_leaves_room_for_another() {
    let passwords = Passwords::new(Rng::seeded(1), 2);
    let flood: Vec<_> = (0..40)
        .map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.verify_for("a", &secret("guess"), None).await })
        })
        .collect();
    tokio::task::yield_now().await;
    // Ten places, of which nobody has more than eight; two are there for whoever comes next.
    let guess = secret("guess");
    let other = passwords.verify_for("b", &guess, None);
    assert!(
        tokio::time::timeout(Duration::ZERO, other).await.is_err(),
        "it waits its turn"
    );
    let mut turned_away = 0;
    for answer in flood {
        if let Err(overloaded) = answer.await.unwrap() {
            assert!((1..=5).contains(&overloaded.retry_after()));
            turned_away += 1;
        }
    }
    assert!(turned_away >= 32, "{turned_away}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_turned_away_and_the_rest_is_served() {
    let passwords = passwords();
    let cores = std::thread::available_parallelism().unwrap().get();
    let flood: Vec<_> = (0..cores * 20)
        .map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.verify(&secret("guess"), None).await })
        })
        .collect();
    let mut served = 0;
    for answer in flood {
        if let Ok(verdict) = answer.await.unwrap() {
            assert_eq!(verdict, Verdict::Mismatch);
            served += 1;
        }
    }
    assert!((cores..cores * 20).contains(&served), "{served}");
    assert_eq!(
        passwords.verify(&secret("guess"), None).await,
        Ok(Verdict::Mismatch),
        "free again afterwards"
    );
}

#[tokio::test]
async fn callers_that_go_away_give_their_places_back() {
    let passwords = passwords();
    for _ in 0..50 {
        let given_up =
            tokio::time::timeout(Duration::ZERO, passwords.verify(&secret("guess"), None)).await;
        drop(given_up);
    }
    let free_again = async || passwords.verify(&secret("guess"), None).await.is_ok();
    bz_testkit::wait_until(free_again, Duration::from_secs(20)).await;
}

#[test]
fn new_passwords_are_long_enough_and_not_the_first_guess() {
    let context = [
        "ada.lovelace@example.com",
        "Ada Lovelace",
        "Analytical Engines",
    ];
    let table = [
        ("short1!", Some(Weakness::TooShort)),
        ("ααααααα", Some(Weakness::TooShort)),
        (&"a1".repeat(64), None),
        (&"a1".repeat(65), Some(Weakness::TooLong)),
        (&"\u{1F600}x".repeat(60), None),
        (&"\u{1F469}\u{1F3FD}".repeat(64), None),
        (&"\u{1F469}".repeat(129), Some(Weakness::TooLong)),
        ("password1", Some(Weakness::TooCommon)),
        ("PassWord1", Some(Weakness::TooCommon)),
        ("qwertyuiop", Some(Weakness::TooCommon)),
        ("aaaaaaaaaa", Some(Weakness::TooCommon)),
        ("23456789", Some(Weakness::TooCommon)),
        ("lovelace1", Some(Weakness::TooPredictable)),
        ("Lovelace!!", Some(Weakness::TooPredictable)),
        ("ada.lovelace@example.com", Some(Weakness::TooPredictable)),
        ("bizosaas!", Some(Weakness::TooPredictable)),
        ("lovelace likes punched cards", None),
        ("correct horse battery staple", None),
    ];
    for (password, expected) in table {
        assert_eq!(
            weakness(&secret(password), &context),
            expected,
            "{password}"
        );
    }
}

#[test]
fn the_bare_rate_counts_what_was_done() {
    let rate = bench(Duration::from_millis(50), 2);
    assert!(rate.hashes >= 2 && rate.per_second() > 0.0, "{rate:?}");
}
