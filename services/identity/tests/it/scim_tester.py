"""Runs scim2-tester against a service: scim_tester.py BASE_URL TOKEN. One line for each check that did not pass."""
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

base, token = sys.argv[1:]
client = Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60)
results = check_server(SyncSCIMClient(client))
counts = {}
for result in results:
    counts[result.status.name] = counts.get(result.status.name, 0) + 1
    if result.status not in (Status.SUCCESS, Status.SKIPPED):
        print("FAILED", result.status.name, result.resource_type, result.title, result.reason)
print("CHECKS", " ".join(f"{name}={count}" for name, count in sorted(counts.items())))
