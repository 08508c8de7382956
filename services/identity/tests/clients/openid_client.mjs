// Logs in with openid-client, as n8n does, with a secret, a signature and neither, and checks the tokens with jose.
//
// Usage: openid_client.mjs ISSUER EMAIL PASSWORD, of an account that may register applications.
import assert from "node:assert/strict";
import * as jose from "jose";
import * as oidc from "openid-client";

const [issuer, email, password] = process.argv.slice(2);
const redirectUri = "http://127.0.0.1:9/callback";
const afterLogout = "http://127.0.0.1:9/bye";
const insecure = { execute: [oidc.allowInsecureRequests] };

async function json(path, body, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(issuer + path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

// A browser without a screen.
class Browser {
  cookies = new Map();

  async send(url, fields) {
    const headers = { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    const body = fields && new URLSearchParams(fields);
    const answer = await fetch(url, { method: body ? "POST" : "GET", headers, body, redirect: "manual" });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      value ? this.cookies.set(name, value) : this.cookies.delete(name);
    }
    return answer;
  }

  // Until there is a page, or the application is called.
  async follow(url, fields) {
    let answer = await this.send(url, fields);
    while (answer.status === 303) {
      const next = new URL(answer.headers.get("location"), issuer);
      if (next.origin !== issuer) return next;
      answer = await this.send(next);
    }
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.text();
  }

  async logIn(url) {
    let page = await this.follow(url);
    while (typeof page === "string") {
      const fields = Object.fromEntries(
        [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [
          name,
          value.replaceAll("&amp;", "&").replaceAll("&quot;", '"'),
        ]),
      );
      const action = /action="([^"]*)"/.exec(page)[1];
      Object.assign(fields, page.includes('name="password"') ? { email, password } : { decision: "allow" });
      page = await this.follow(new URL(action, issuer), fields);
    }
    return page;
  }
}

async function run(account, method) {
  // Only the public key leaves this process.
  const pair = method === "private_key_jwt" && (await jose.generateKeyPair("ES256", { extractable: true }));
  const jwks = pair && { keys: [{ ...(await jose.exportJWK(pair.publicKey)), kid: "1", alg: "ES256" }] };
  const client = await json(
    "/api/oauth-clients",
    {
      name: `openid-client ${method}`,
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: [afterLogout],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: method,
      ...(jwks && { jwks }),
      allowed_scopes: ["openid", "profile", "email", "offline_access"],
    },
    account.access_token,
  );
  const authentication = {
    client_secret_basic: () => oidc.ClientSecretBasic(client.client_secret),
    client_secret_post: () => oidc.ClientSecretPost(client.client_secret),
    private_key_jwt: () => oidc.PrivateKeyJwt({ key: pair.privateKey, kid: "1" }),
    none: () => oidc.None(),
  }[method]();
  const config = await oidc.discovery(new URL(issuer), client.client_id, undefined, authentication, insecure);
  assert.ok(config.serverMetadata().supportsPKCE());

  const verifier = oidc.randomPKCECodeVerifier();
  const checks = { expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), maxAge: 3600 };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: "openid email offline_access",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    max_age: "3600",
  });
  const browser = new Browser();
  const callback = await browser.logIn(url);
  const tokens = await oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier, ...checks });
  const { sub, auth_time, sid } = tokens.claims();
  assert.equal(sub, account.user.id);
  assert.ok(auth_time && sid);
  const info = await oidc.fetchUserInfo(config, tokens.access_token, sub);
  assert.equal(info.email, email);

  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const verified = await jose.jwtVerify(tokens.id_token, keys, { issuer, audience: client.client_id, algorithms: ["RS256"] });
  assert.equal(verified.payload.nonce, checks.expectedNonce);
  await jose.jwtVerify(tokens.access_token, keys, { issuer, audience: issuer, typ: "at+jwt", algorithms: ["EdDSA", "Ed25519"] });
  await assert.rejects(jose.jwtVerify(tokens.id_token, keys, { issuer, audience: "bizosaas" }));

  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
  if (method !== "none") {
    assert.ok((await oidc.tokenIntrospection(config, refreshed.access_token)).active);
  }
  // The code is good once; a second use ends what came of the first.
  const again = oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier, ...checks });
  await assert.rejects(again, (error) => error.error === "invalid_grant");
  await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token), (error) => error.error === "invalid_grant");
  await oidc.tokenRevocation(config, refreshed.refresh_token);

  // Errors come back as the library expects them.
  const none = oidc.buildAuthorizationUrl(config, { ...Object.fromEntries(url.searchParams), prompt: "none" });
  const refused = await new Browser().follow(none);
  const answer = oidc.authorizationCodeGrant(config, refused, { pkceCodeVerifier: verifier, ...checks });
  await assert.rejects(answer, (error) => error.error === "login_required");

  const end = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: afterLogout });
  assert.equal((await browser.follow(end)).href, afterLogout);
  const after = await browser.follow(none);
  assert.equal(after.searchParams.get("error"), "login_required");
  return [tokens.access_token, tokens.refresh_token, tokens.id_token, callback.searchParams.get("code"), client.client_secret];
}

const account = await json("/auth/register", { email, password });
for (const method of ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]) {
  const secrets = await run(account, method);
  console.log(secrets.filter(Boolean).join("\n"));
}
