"""Logs in through a Flask application with Authlib, as Superset does, and checks the tokens with PyJWT and joserfc.

Usage: authlib_flask.py ISSUER. Prints every secret that it was given, one a line, for the test to look for in the log.
"""

import sys
import threading
import time

import jwt
import requests
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, jsonify, redirect, request, session, url_for
from joserfc import jwt as jose_jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

from account import PASSWORD, Account
from browser import Browser

SCOPE = "openid profile email offline_access"


def application(issuer, client):
    """The whole of it: Authlib reads the discovery document, makes the PKCE, checks state, nonce and the ID token."""
    app = Flask(__name__)
    app.secret_key = "of this test"
    app.config["SESSION_COOKIE_NAME"] = "flask"
    oauth = OAuth(app)
    oauth.register(
        "bizosaas",
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
    )
    app.tokens = []
    app.logouts = []

    @app.get("/login")
    def login():
        return oauth.bizosaas.authorize_redirect(url_for("callback", _external=True))

    @app.get("/callback")
    def callback():
        token = oauth.bizosaas.authorize_access_token()
        app.tokens.append(token)
        session["user"] = dict(token["userinfo"])
        session["asked"] = dict(oauth.bizosaas.userinfo(token=token))
        return redirect(url_for("home"))

    @app.post("/backchannel")
    def backchannel():
        app.logouts.append(logout_claims(issuer, client, request.form["logout_token"]))
        return "", 200, {"cache-control": "no-store"}

    @app.get("/")
    def home():
        return jsonify(user=session.get("user"), asked=session.get("asked"))

    return app


def logout_claims(issuer, client, raw):
    """What OpenID Connect Back-Channel Logout 1.0 section 2.6 tells an application to check, by two libraries."""
    uri = f"{issuer}/.well-known/jwks.json"
    key = jwt.PyJWKClient(uri).get_signing_key_from_jwt(raw)
    wanted = {"require": ["iss", "aud", "iat", "exp", "jti", "events"]}
    claims = jwt.decode(raw, key, algorithms=["RS256"], audience=client["client_id"], issuer=issuer, options=wanted)
    assert jwt.get_unverified_header(raw)["typ"] == "logout+jwt"
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in claims and claims["sid"] and claims["sub"]
    keys = KeySet.import_key_set(requests.get(uri).json())
    assert jose_jwt.decode(raw, keys, algorithms=["RS256"]).claims == claims
    return claims


def check_signed_client(issuer, account):
    """A service account that signs, by Authlib's own client: RFC 7523."""
    endpoint = f"{issuer}/oauth2/token"
    key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
    body = {"name": "Signs", "role": "viewer", "jwks": {"keys": [key.as_dict(private=False)]}}
    answer = account.http.post(f"{issuer}/api/service-accounts", json=body)
    assert answer.status_code == 201, answer.text
    program = OAuth2Session(
        answer.json()["client_id"], key.as_pem(private=True), token_endpoint_auth_method="private_key_jwt", trust_env=False
    )
    program.register_client_auth_method(PrivateKeyJWT(endpoint))
    token = program.fetch_token(endpoint, grant_type="client_credentials")
    me = account.http.get(f"{issuer}/api/permissions", headers={"authorization": f"Bearer {token['access_token']}"})
    assert me.status_code != 401, me.text
    return token["access_token"]


def serve(app, server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


def check_id_token(issuer, client, token, account):
    """Two further libraries that share no code with Authlib or with us."""
    metadata = account.http.get(f"{issuer}/.well-known/openid-configuration").json()
    raw = token["id_token"]
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(raw)
    claims = jwt.decode(raw, key, algorithms=["RS256"], audience=client["client_id"], issuer=metadata["issuer"])
    assert claims["sub"] == account.tokens["user"]["id"]
    assert jwt.get_unverified_header(raw)["alg"] == "RS256"
    for wrong in ({"audience": "bizosaas"}, {"issuer": issuer + "/"}, {"algorithms": ["EdDSA", "HS256"]}):
        asked = {"audience": client["client_id"], "issuer": issuer, "algorithms": ["RS256"], **wrong}
        try:
            jwt.decode(raw, key, **asked)
        except jwt.PyJWTError:
            continue
        raise AssertionError(f"accepted with {wrong}")
    keys = KeySet.import_key_set(account.http.get(metadata["jwks_uri"]).json())
    assert jose_jwt.decode(raw, keys, algorithms=["RS256"]).claims == claims
    # The access token is for others, but its signature is anybody's to check.
    access = jose_jwt.decode(token["access_token"], keys, algorithms=["EdDSA", "Ed25519"])
    assert access.header["typ"] == "at+jwt" and issuer in access.claims["aud"]


def check_back_channel(issuer, client, token, account):
    """Refresh, introspection and revocation by Authlib's own client."""
    at = f"{issuer}/oauth2"
    own = OAuth2Session(client["client_id"], client["client_secret"], token=token, trust_env=False)
    refreshed = own.refresh_token(f"{at}/token", refresh_token=token["refresh_token"])
    assert refreshed["refresh_token"] != token["refresh_token"]
    seen = own.introspect_token(f"{at}/introspect", token=refreshed["access_token"]).json()
    assert seen["active"] and seen["client_id"] == client["client_id"], seen
    answer = own.revoke_token(f"{at}/revoke", token=refreshed["refresh_token"], token_type_hint="refresh_token")
    assert answer.status_code == 200, answer.text
    assert own.introspect_token(f"{at}/introspect", token=refreshed["access_token"]).json() == {"active": False}
    info = account.http.get(f"{at}/userinfo", headers={"authorization": f"Bearer {refreshed['access_token']}"})
    assert info.status_code == 401, info.text
    return refreshed


def main(issuer):
    account = Account(issuer)
    placeholder = Flask("placeholder")
    server = make_server("127.0.0.1", 0, placeholder, threaded=True)
    base = f"http://127.0.0.1:{server.port}"
    client = account.application(
        redirect_uris=[f"{base}/callback"],
        post_logout_redirect_uris=[f"{base}/"],
        backchannel_logout_uri=f"{base}/backchannel",
        grant_types=["authorization_code", "refresh_token"],
        allowed_scopes=SCOPE.split(),
        role_claim_mapping={"claim": "role_keys", "roles": {"owner": "Admin"}},
    )
    app = application(issuer, client)
    server.app = app
    serve(app, server)

    browser = Browser()
    home = browser.log_in(browser.get(f"{base}/login"), account.email, PASSWORD)
    assert home.url == f"{base}/", (home.url, home.text)
    user, asked = home.json()["user"], home.json()["asked"]
    assert user["email"] == account.email and user["role_keys"] == ["Admin"], user
    assert asked["sub"] == user["sub"] == account.tokens["user"]["id"], asked
    # A second login needs nobody: the browser is logged in, and the user has allowed it.
    assert browser.get(f"{base}/login").url == f"{base}/"
    first, second = app.tokens
    check_id_token(issuer, client, first, account)
    refreshed = check_back_channel(issuer, client, first, account)

    metadata = account.http.get(f"{issuer}/.well-known/openid-configuration").json()
    end = f"{metadata['end_session_endpoint']}?id_token_hint={second['id_token']}&post_logout_redirect_uri={base}/"
    assert browser.get(end).url == f"{base}/"
    assert browser.get(f"{base}/login").url.startswith(f"{issuer}/oauth2/authorize")
    # Both sessions have ended, the first by its revocation, the second with the login: the application was told of each.
    ended = {token["userinfo"]["sid"] for token in (first, second)}
    for _ in range(150):
        if {claims["sid"] for claims in app.logouts} == ended:
            break
        time.sleep(0.1)
    assert sorted(claims["sid"] for claims in app.logouts) == sorted(ended), app.logouts
    signed = check_signed_client(issuer, account)

    secrets = [PASSWORD, client["client_secret"], account.tokens["access_token"], account.tokens["refresh_token"], signed]
    for token in (first, second, refreshed):
        secrets += [token["access_token"], token["refresh_token"], token["id_token"]]
    secrets += [cookie.value for cookie in browser.session.cookies if cookie.name.startswith("bz_")]
    print("\n".join(secrets))


if __name__ == "__main__":
    main(sys.argv[1])
