use bz_kernel::{SessionId, TenantId, UserId};

use super::*;
use crate::claims::UserGrant;

const START: i64 = 1_772_442_000_000;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// A token of user 7 in session 9 of tenant 1, signed so many milliseconds after the start.
#[expect(clippy::disallowed_methods, reason = "a test names its tenants")]
fn token(after: i64) -> Claims {
    let at = DateTime::from_timestamp_millis(START + after).unwrap();
    let grant = UserGrant {
        user: UserId::from_uuid(id(7)),
        tenant: TenantId::trusted(id(1)),
        home_tenant: TenantId::trusted(id(1)),
        session: SessionId::from_uuid(id(9)),
        client_id: "web".into(),
        roles: Vec::new(),
        entitlements: Vec::new(),
        authenticated_at: at,
        acr: "aal1".into(),
        amr: Vec::new(),
        act: None,
    };
    let millis = u64::try_from(START + after).unwrap();
    let jti = uuid::Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid();
    Claims::of_user("i", grant, jti, at, TimeDelta::minutes(10))
}

fn page(items: &[(RevokedKind, u128, u128, i64)]) -> RevocationPage {
    let item = |&(kind, tenant, subject, after): &(RevokedKind, u128, u128, i64)| Revocation {
        kind,
        tenant_id: id(tenant),
        subject: id(subject),
        at: START + after,
    };
    RevocationPage {
        items: items.iter().map(item).collect(),
        floor: None,
        next: "1:1:".into(),
    }
}

#[test]
fn a_token_is_refused_when_it_was_signed_at_or_before_the_revocation_of_its_user_or_tenant() {
    for (kind, subject) in [(RevokedKind::User, 7), (RevokedKind::Tenant, 1)] {
        let revocations = Revocations::default();
        assert!(!revocations.refuse(&token(0)));
        revocations.add(&page(&[(kind, 1, subject, 500)]));
        assert!(revocations.refuse(&token(0)));
        assert!(revocations.refuse(&token(500)));
        assert!(
            !revocations.refuse(&token(501)),
            "a refresh a millisecond later, in the same second"
        );
        assert!(!revocations.refuse(&token(1500)));
    }
}

#[test]
fn a_session_that_ended_stays_ended() {
    let revocations = Revocations::default();
    revocations.add(&page(&[(RevokedKind::Session, 1, 9, 500)]));
    assert!(revocations.refuse(&token(0)) && revocations.refuse(&token(60_000)));
}

/// Pitfall 30: nothing that is kept in memory mixes tenants.
#[test]
fn another_tenants_revocation_of_the_same_ids_refuses_nothing_here() {
    let revocations = Revocations::default();
    revocations.add(&page(&[
        (RevokedKind::Session, 2, 9, 500),
        (RevokedKind::User, 2, 7, 500),
        (RevokedKind::Tenant, 2, 2, 500),
        (RevokedKind::User, 1, 8, 500),
        (RevokedKind::Session, 1, 8, 500),
    ]));
    assert!(!revocations.refuse(&token(0)));
}

#[test]
fn an_id_without_a_time_counts_from_the_beginning_of_its_second() {
    let revocations = Revocations::default();
    revocations.add(&page(&[(RevokedKind::User, 1, 7, 500)]));
    let random = |after| Claims {
        jti: Uuid::from_u128(0x1234_5678_9abc_4def_8000_0000_0000_0001),
        ..token(after)
    };
    assert!(revocations.refuse(&random(900)));
    assert!(!revocations.refuse(&random(1000)));
    // The id of another instant than `iat` is not believed.
    let mixed = Claims {
        jti: token(5000).jti,
        ..token(0)
    };
    assert!(revocations.refuse(&mixed));
}

#[test]
fn a_services_own_token_is_not_a_users() {
    let revocations = Revocations::default();
    let mut everything = page(&[]);
    everything.floor = Some(START + 1000);
    revocations.add(&everything);
    let now = DateTime::from_timestamp_millis(START).unwrap();
    let service = Claims::of_service(
        "i",
        "crm",
        "events:read",
        id(1),
        now,
        TimeDelta::minutes(10),
    );
    assert!(!revocations.refuse(&service));
    assert!(revocations.refuse(&token(1000)) && !revocations.refuse(&token(1001)));
}

#[test]
fn a_page_from_the_beginning_replaces_what_was_known() {
    let revocations = Revocations::default();
    revocations.add(&page(&[(RevokedKind::User, 1, 7, 500)]));
    revocations.replace(&page(&[]));
    assert_eq!(revocations.count(), 0);
    assert!(!revocations.refuse(&token(0)));
}

/// Pitfall 65: a flood of revocations costs a bounded amount of memory, and opens nothing.
#[test]
fn too_many_revocations_refuse_more_and_never_less() {
    let revocations = Revocations::default();
    for batch in 0..30_u128 {
        let items: Vec<_> = (0..10_000_u128)
            .map(|n| {
                let n = batch * 10_000 + n;
                (RevokedKind::User, 1, 1000 + n, i64::try_from(n).unwrap())
            })
            .collect();
        revocations.add(&page(&items));
        assert!(revocations.count() <= 2 * MOST_REVOCATIONS);
    }
    let user = |n: u128, after| Claims {
        sub: id(1000 + n).to_string(),
        ..token(after)
    };
    assert!(
        revocations.refuse(&user(0, 0)),
        "what was forgotten is under the floor"
    );
    assert!(revocations.refuse(&user(299_999, 299_999)));
    assert!(!revocations.refuse(&user(299_999, 300_000)));
    assert!(!revocations.refuse(&token(300_000)));
}
