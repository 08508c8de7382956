"""A client of FastAPI-Users: the form that its BearerTransport documents, read with the library's own models."""

import json
import sys
import urllib.parse
import urllib.request
import uuid

from fastapi_users import schemas
from fastapi_users.authentication.transport.bearer import BearerResponse


def main(base, email, password):
    form = urllib.parse.urlencode({"username": email, "password": password}).encode()
    with urllib.request.urlopen(base + "auth/login", form, timeout=20) as answer:
        token = BearerResponse.model_validate(json.load(answer))
    assert token.token_type.lower() == "bearer"
    request = urllib.request.Request(base + "auth/me", headers={"Authorization": f"Bearer {token.access_token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        user = schemas.BaseUser[uuid.UUID].model_validate(json.load(answer))
    assert user.email == email and user.is_active and not user.is_superuser


main(*sys.argv[1:])
