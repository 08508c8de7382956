"""An account with a tenant of its own, and applications in it."""

import secrets

import requests

PASSWORD = "correct horse battery staple"


class Account:
    def __init__(self, issuer):
        self.issuer = issuer
        self.http = requests.Session()
        self.http.trust_env = False
        self.email = f"owner-{secrets.token_hex(6)}@example.com"
        answer = self.http.post(f"{issuer}/auth/register", json={"email": self.email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.tokens = answer.json()
        self.http.headers["authorization"] = f"Bearer {self.tokens['access_token']}"

    def application(self, **fields):
        answer = self.http.post(f"{self.issuer}/api/oauth-clients", json={"name": "A real client", **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()
