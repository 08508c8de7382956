//! The sessions of guests, which hang on the home.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{IdentityApp, count, execute, guest_of_globex, refresh, start, switch};

/// Ends everything of acme's member as a password change does, in the role of the service.
async fn end_as_guest(app: &IdentityApp) -> i64 {
    let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
    let ended =
        sqlx::query_scalar("SELECT identity.end_guest_sessions($1, 'password_changed', $2)")
            .bind(Tenant::Acme.user(Role::Member).as_uuid())
            .bind(app.core.sources.now())
            .fetch_one(tx.conn())
            .await
            .unwrap();
    tx.commit().await.unwrap();
    ended
}

#[tokio::test]
async fn what_ends_at_home_ends_for_the_guest_too() {
    let app = start().await;
    let (home, entered) = guest_of_globex(&app, "member").await;
    let again = switch(&home, "globex").await.assert_status(200).json();
    assert_eq!(end_as_guest(&app).await, 2);
    for answer in [&entered, &again] {
        refresh(&app, &answer["refresh_token"])
            .await
            .assert_problem(401, "session_revoked");
    }
    let told = "SELECT count(*) FROM identity.events WHERE kind = 'session.revoked' \
                AND data->>'reason' = 'password_changed' AND data ? 'session_id'";
    assert_eq!(count(&app, told).await, 2);
    let refused = "SELECT count(*) FROM identity.revocations WHERE kind = 'user'";
    assert_eq!(count(&app, refused).await, 1);
    let of_globex = format!(
        "{refused} AND tenant_id = '{}' AND uuid_extract_version(id) = 7",
        Tenant::Globex.id()
    );
    assert_eq!(count(&app, &of_globex).await, 1);
    // Nothing is left to end, and nobody else's ended.
    assert_eq!(end_as_guest(&app).await, 0);
    home.get("/auth/me").await.assert_status(200);
}

#[tokio::test]
async fn a_guests_session_is_refreshed_only_while_everything_at_home_and_there_is_well() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    let (acme, globex) = (Tenant::Acme.id(), Tenant::Globex.id());
    let guest = Tenant::Acme.user(Role::Member);
    let changes = [
        (
            "users",
            "disabled",
            format!("tenant_id = '{acme}' AND id = '{guest}'"),
        ),
        (
            "users",
            "disabled",
            format!("tenant_id = '{globex}' AND id = '{guest}'"),
        ),
        (
            "memberships",
            "suspended",
            format!("tenant_id = '{globex}' AND user_id = '{guest}'"),
        ),
        ("tenants", "suspended", format!("tenant_id = '{acme}'")),
        ("tenants", "suspended", format!("tenant_id = '{globex}'")),
    ];
    for (table, bad, key) in changes {
        let token =
            switch(&home, "globex").await.assert_status(200).json()["refresh_token"].clone();
        let set =
            |value: &str| format!("UPDATE identity.{table} SET status = '{value}' WHERE {key}");
        execute(&app, &set(bad)).await;
        let refused = refresh(&app, &token).await;
        assert_eq!(refused.status, 401, "{table} {key}: {}", refused.describe());
        execute(&app, &set("active")).await;
        refresh(&app, &token).await.assert_status(200);
    }
    let token = switch(&home, "globex").await.assert_status(200).json()["refresh_token"].clone();
    execute(&app, "DELETE FROM identity.guest_memberships").await;
    refresh(&app, &token)
        .await
        .assert_problem(401, "session_revoked");
}

/// A switch and the end of everything at home, at once: afterwards nothing is left.
#[tokio::test]
async fn no_session_slips_through_while_everything_ends() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    let member = Tenant::Acme.user(Role::Member).as_uuid();
    let end = async {
        let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
        let at_home = "UPDATE identity.sessions SET revoked_at = $2, revoked_reason = 'password_changed' \
                       WHERE user_id = $1 AND revoked_at IS NULL";
        let now = app.core.sources.now();
        sqlx::query(at_home)
            .bind(member)
            .bind(now)
            .execute(tx.conn())
            .await
            .unwrap();
        let elsewhere = "SELECT identity.end_guest_sessions($1, 'password_changed', $2)";
        sqlx::query(elsewhere)
            .bind(member)
            .bind(now)
            .execute(tx.conn())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    let switches = async {
        for _ in 0..10 {
            switch(&home, "globex").await;
        }
    };
    tokio::join!(end, switches);
    let living = format!(
        "SELECT count(*) FROM identity.sessions WHERE user_id = '{member}' AND revoked_at IS NULL"
    );
    assert_eq!(count(&app, &living).await, 0);
}

#[tokio::test]
async fn the_tenants_policy_shortens_sessions_and_their_rest() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    let policy = format!("/api/tenants/{}/policy", Tenant::Globex.id());
    let body = json!({ "session_hours": 5, "session_idle_hours": 2 });
    app.globex.owner.put(&policy, body).await.assert_status(200);
    let entered = switch(&home, "globex").await.assert_status(200).json();
    assert_eq!(entered["refresh_expires_in"], 2 * 3600);
    app.clock.advance(TimeDelta::minutes(90));
    let second = refresh(&app, &entered["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(second["refresh_expires_in"], 2 * 3600);
    app.clock.advance(TimeDelta::minutes(119));
    let third = refresh(&app, &second["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(third["refresh_expires_in"], 91 * 60);
    app.clock.advance(TimeDelta::minutes(91));
    refresh(&app, &third["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
}
