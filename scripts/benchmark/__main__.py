"""Measures the budgets of docs/architecture and prints one table. Started by scripts/bench, which prepares the servers it
needs; everything is compared with something measured in the same run."""

import argparse
import contextlib
import datetime
import os
import pathlib
import re
import subprocess
import time
import uuid

import analytics
import crm
import measure
import servers

# Connections of pgbench, as many as a service's pool has.
POOL = 10
# What is measured alone, by name.
PARTS = {"analytics": analytics.bench, "crm": crm.bench}
LEAD = {"first_name": "Ada", "last_name": "Lovelace", "source": "web"}

READ = """BEGIN;
SELECT set_config('app.tenant_id', :tenant, true);
SELECT {columns} FROM crm.leads WHERE id = :id;
COMMIT;
"""
# The id is made here by the server, where the service makes it itself.
CREATE = """BEGIN;
SELECT set_config('app.tenant_id', :tenant, true);
INSERT INTO crm.leads ({columns}) VALUES ({values}) RETURNING {columns};
INSERT INTO crm.events (id, kind, at, actor, data, traceparent) VALUES (uuidv7(), 'lead.created', now(), :user,
  '{{"id": "00000000-0000-0000-0000-000000000000", "status": "new", "source": "web", "version": 1}}', NULL);
COMMIT;
"""
VALUES = {"id": "uuidv7()", "created_by": ":user", "created_at": "now()", "updated_at": "now()", "first_name": "'Ada'",
          "last_name": "'Lovelace'", "name_norm": "'ada lovelace'", "source": "'web'"}
# Leads of other tenants around the ones that are read.
FILL = """INSERT INTO crm.leads (tenant_id, id, first_name, last_name, email, email_norm, created_by, created_at, updated_at)
SELECT tenant, uuidv7(), 'First' || n, 'Last' || n, 'lead' || n || '@example.com', 'lead' || n || '@example.com',
  uuidv7(), now(), now()
FROM (SELECT uuidv7() AS tenant FROM generate_series(1, 20)) AS tenants, generate_series(1, 1000) AS n;
"""


class Report:
    """Rows of the table: what, measured, against, ratio or value, budget."""

    def __init__(self):
        self.rows = []

    def add(self, what, measured, against="", ratio="", budget="", ok=None):
        verdict = "" if ok is None else ("yes" if ok else "NO")
        self.rows.append((what, measured, against, ratio, budget, verdict))
        print(f"  {what}: {measured}", flush=True)

    def markdown(self):
        header = ("what", "measured", "against", "ratio", "budget", "met")
        widths = [max(len(row[i]) for row in [header, *self.rows]) for i in range(len(header))]
        lines = [header, tuple("-" * width for width in widths), *self.rows]
        return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)


def script(name, text):
    path = servers.WORK / f"{name}.sql"
    path.write_text(text.replace("\n  ", " "))
    return str(path)


def lead_statements():
    """What the service sends to read and to create a lead, with the table's columns as they are."""
    names = measure.sql("""SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns
        WHERE table_schema = 'crm' AND table_name = 'leads' AND column_name <> 'tenant_id'""").split(",")
    columns, values = ", ".join(names), ", ".join(VALUES.get(name, "DEFAULT") for name in names)
    return READ.format(columns=columns), CREATE.format(columns=columns, values=values)


def bench_start_and_memory(fleet, report):
    """Every service alone: start on a migrated database, memory after some idle seconds. Identity and CRM stay."""
    started = {}
    for name, _, _ in servers.SERVICES:
        server = started[name] = fleet.service(name)
        again = []
        for _ in range(3):
            fleet.stop(server)
            server = started[name] = fleet.service(name)
            again.append(server.ready_after)
        after = sorted(again)[1]
        report.add(f"start to ready, {name}", f"{after:.0f} ms", budget="≤ 300 ms", ok=after <= 300)
    time.sleep(5)
    for name, server in started.items():
        rss = measure.rss_mib(server.pids())
        report.add(f"idle memory, {name}", f"{rss:.1f} MiB", budget="≤ 16 MiB", ok=rss <= 16)
        if name not in ("identity", "crm"):
            fleet.stop(server)
    return started["identity"], started["crm"]


def bench_platform(fleet, report):
    """The whole platform in one process."""
    server = fleet.platform()
    time.sleep(5)
    rss = measure.rss_mib(server.pids())
    report.add("start to ready, bizosaas up", f"{server.ready_after:.0f} ms")
    report.add("idle memory, bizosaas up", f"{rss:.1f} MiB", budget="≤ 64 MiB", ok=rss <= 64)
    fleet.stop(server)


def bench_health(crm, seconds, report):
    load = measure.wrk(crm.url + "/health", crm.pids(), seconds, servers.WORK)
    report.add("/health, CPU a request", f"{load.cpu_us:.1f} µs", f"{load.rate:.0f}/s", budget="≤ 15 µs", ok=load.cpu_us <= 15)
    p99 = measure.percentile(measure.constant_rate(crm.port, "/health", 1000, seconds), 0.99)
    report.add("/health at 1,000/s, p99", f"{p99:.2f} ms", budget="≤ 2 ms", ok=p99 <= 2)
    return load


def new_tenant(identity):
    """Registers a tenant; gives its id, its owner's id and credentials."""
    account = {"email": f"owner-{uuid.uuid4().hex[:8]}@example.com", "password": uuid.uuid4().hex}
    answer = servers.call("POST", identity.url + "/auth/register", account)
    return {**account, "tenant": answer["tenant"]["id"], "user": answer["user"]["id"]}


def login(identity, account):
    body = {"email": account["email"], "password": account["password"]}
    answer = servers.call("POST", identity.url + "/auth/login", body)
    return (answer.get("tokens") or answer)["access_token"]


def against(report, what, load, base, base_name, budget):
    ratio = load.rate / base
    report.add(what, f"{load.rate:.0f}/s", f"{base:.0f}/s {base_name}", f"{ratio:.0%}", f"≥ {budget:.0%}", ratio >= budget)


def bench_leads(identity, crm, seconds, report):
    """Read and create of a lead, and what row-level security costs."""
    account = new_tenant(identity)
    token = login(identity, account)
    lead = servers.call("POST", crm.url + "/api/leads?on_duplicate=create", LEAD, token)["id"]
    measure.sql(FILL + "VACUUM ANALYZE crm.leads;")
    role = servers.database_url("crm_api", os.environ["CRM_DB_PASSWORD"])
    known = {"tenant": account["tenant"], "id": lead, "user": account["user"]}
    reading, creating = lead_statements()

    read = measure.wrk(f"{crm.url}/api/leads/{lead}", crm.pids(), seconds, servers.WORK, token=token)
    base = measure.pgbench(role, script("read", reading), seconds, POOL, known)
    against(report, "read one lead", read, base, "pgbench", 0.8)
    report.add("read one lead, CPU a request", f"{read.cpu_us:.0f} µs")

    measure.sql("""CREATE SCHEMA bench; CREATE TABLE bench.leads (LIKE crm.leads INCLUDING ALL EXCLUDING GENERATED);
        INSERT INTO bench.leads SELECT * FROM crm.leads; GRANT USAGE ON SCHEMA bench TO crm_api;
        GRANT SELECT ON bench.leads TO crm_api; VACUUM ANALYZE bench.leads;""")
    # by turns and the better of two, because a machine's speed drifts by more than what is measured
    unguarded = reading.replace("crm.leads WHERE", "bench.leads WHERE tenant_id = :tenant AND")
    plain, guarded = script("read_without_policy", unguarded), script("read", reading)
    runs = [(measure.pgbench(role, plain, seconds, POOL, known), measure.pgbench(role, guarded, seconds, POOL, known)) for _ in "12"]
    without, under = (max(rates) for rates in zip(*runs))
    cost = without / under - 1
    report.add("row-level security", f"{under:.0f}/s", f"{without:.0f}/s without policy", f"{cost:+.1%}", "≤ 10%", cost <= 0.1)

    token = login(identity, account)
    url = crm.url + "/api/leads?on_duplicate=create"
    create = measure.wrk(url, crm.pids(), seconds, servers.WORK, token=token, body=[servers.json.dumps(LEAD)])
    base = measure.pgbench(role, script("create", creating), seconds, POOL, known)
    against(report, "create a lead", create, base, "pgbench", 0.7)
    report.add("create a lead, CPU a request", f"{create.cpu_us:.0f} µs")
    return read, create


def argon2_rate(seconds):
    """Hashes a second of nothing but Argon2id on all cores."""
    command = [str(servers.TARGET / "bizosaas"), "bench-argon2", str(seconds)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0])


def bench_login(identity, seconds, report):
    account = new_tenant(identity)
    body = servers.json.dumps({"email": account["email"], "password": account["password"]})
    token = login(identity, account)
    bare = argon2_rate(seconds)
    alone = measure.percentile(measure.constant_rate(identity.port, "/auth/me", 100, seconds, token), 0.99)
    load = measure.wrk(identity.url + "/auth/login", identity.pids(), seconds, servers.WORK, connections=4, body=[body])
    against(report, "log in", load, bare, "bare Argon2id", 0.9)
    flood = subprocess.Popen(["wrk", "-t1", "-c4", f"-d{seconds + 2}s", "-s", str(servers.WORK / "request.lua"),
                              identity.url + "/auth/login"], stdout=subprocess.DEVNULL)
    time.sleep(1)
    meanwhile = measure.percentile(measure.constant_rate(identity.port, "/auth/me", 100, seconds, token), 0.99)
    flood.wait()
    ratio = meanwhile / alone
    report.add("/auth/me p99 during logins", f"{meanwhile:.2f} ms", f"{alone:.2f} ms alone", f"{ratio:.1f} x", "≤ 2 x", ratio <= 2)
    return load


def bench_peer(fleet, directory, seconds, ours, report):
    """The same requests to the FastAPI peer."""
    measure.sql((pathlib.Path(directory) / "schema.sql").read_text() + "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA peer TO peer_api;")
    peer = fleet.peer(directory)
    account = {"email": "owner@example.com", "password": uuid.uuid4().hex}
    servers.call("POST", peer.url + "/auth/register", {**account, "tenant_name": "bench"})
    token = servers.call("POST", peer.url + "/auth/login", account)["access_token"]
    lead = servers.call("POST", peer.url + "/api/leads", LEAD, token)["id"]
    time.sleep(2)
    rss, pids = measure.rss_mib(peer.pids()), peer.pids()
    report.add("FastAPI peer: start, memory", f"{peer.ready_after:.0f} ms, {rss:.0f} MiB")
    theirs = {
        "/health": measure.wrk(peer.url + "/health", pids, seconds, servers.WORK),
        "read one lead": measure.wrk(f"{peer.url}/api/leads/{lead}", pids, seconds, servers.WORK, token=token),
        "create a lead": measure.wrk(peer.url + "/api/leads", pids, seconds, servers.WORK, token=token, body=[servers.json.dumps(LEAD)]),
        "log in": measure.wrk(peer.url + "/auth/login", pids, seconds, servers.WORK, connections=4, body=[servers.json.dumps(account)]),
    }
    for what, load in theirs.items():
        mine = ours[what]
        ratio = mine.cpu_us / load.cpu_us
        limited = what in ("read one lead", "create a lead")
        report.add(f"{what}, CPU a request", f"{mine.cpu_us:.0f} µs", f"{load.cpu_us:.0f} µs peer", f"1/{1 / ratio:.0f}",
                   "≤ 1/10" if limited else "", ratio <= 0.1 if limited else None)
        report.add(f"{what}, rate", f"{mine.rate:.0f}/s", f"{load.rate:.0f}/s peer", f"{mine.rate / load.rate:.1f} x")


def machine():
    """One line about where and when this was measured."""
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) / 2**20
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return (f"{os.cpu_count()} cores ({cpu.group(1) if cpu else os.uname().machine}), {memory:.0f} GiB, Linux "
            f"{os.uname().release}, {datetime.date.today()}, commit {commit}; load at the start {os.getloadavg()[0]:.1f}")


def write_table(path, text, name):
    """Replaces what is between the markers of a table; a table that is not there yet comes last."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    page = pathlib.Path(path)
    old = page.read_text() if page.exists() else "# Performance\n"
    if begin not in old:
        old += f"\n{begin}\n{end}\n"
    before, rest = old.split(begin, 1)
    page.write_text(before + begin + "\n" + text + "\n" + end + rest.split(end, 1)[1])


def bench_all(fleet, options, report):
    """The budgets of the platform."""
    bench_platform(fleet, report)
    identity, crm = bench_start_and_memory(fleet, report)
    ours = {"/health": bench_health(crm, options.seconds, report)}
    ours["read one lead"], ours["create a lead"] = bench_leads(identity, crm, options.seconds, report)
    ours["log in"] = bench_login(identity, options.seconds, report)
    if options.peer:
        fleet.stop(identity)
        fleet.stop(crm)
        bench_peer(fleet, options.peer, options.seconds, ours, report)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--peer")
    parser.add_argument("--write")
    parser.add_argument("part", nargs="?", choices=PARTS)
    parser.add_argument("--events", type=int, default=5_000_000)
    options = parser.parse_args()
    report, where = Report(), machine()
    with servers.Fleet() as fleet:
        if options.part:
            PARTS[options.part](fleet, new_tenant, login, options, report)
        else:
            bench_all(fleet, options, report)
    text = f"{where}.\n\n{report.markdown()}"
    print("\n" + text)
    if options.write:
        write_table(options.write, text, f"bench-{options.part}" if options.part else "bench")


with contextlib.suppress(KeyboardInterrupt):
    main()
