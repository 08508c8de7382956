"""What analytics does with a tenant of millions of events: taking them in, taking them in again, dashboards, real time. The
events come in by HTTP, as they do in life, so that the tenant is made by what is measured."""

import concurrent.futures
import http.client
import json
import random
import threading
import time

import measure
import servers

BATCH = 1000
DAYS = 60
# Events that are sent again, by how many clients at once.
REPLAYED, CLIENTS = 200_000, 4
NAMES = ["page_view"] * 8 + ["click"] * 4 + ["scroll", "search", "signup", "checkout", "sale"]


class Sender:
    """A connection that sends batches, and how long each took in milliseconds."""

    def __init__(self, service, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        self.accepted, self.took = 0, []

    def send(self, body):
        began = time.perf_counter()
        self.connection.request("POST", "/api/events", body, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"POST /api/events: {answer.status} {text[:500]!r}")
        self.took.append((time.perf_counter() - began) * 1e3)
        self.accepted += json.loads(text)["accepted"]


def lines(first, count, instant, rng):
    """Events as lines; the same for the same numbers. Ids have the time first, as UUIDv7."""
    out = []
    for n in range(first, first + count):
        at = instant + (n - first) * 1e-3
        tail = f"{rng.getrandbits(62) | 1 << 63:016x}"
        actor = "often" if n % BATCH == 0 else f"actor-{rng.randrange(100_000)}"
        stamp = f"{int(at * 1e3):012x}"
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e3):03}Z"
        out.append(
            f'{{"event_id":"{stamp[:8]}-{stamp[8:]}-7{n % 4096:03x}-{tail[:4]}-{tail[4:]}","name":"{rng.choice(NAMES)}","ts":"{text}",'
            f'"session_id":"visit-{n // 8}","actor_id":"{actor}","source":"source-{rng.randrange(8)}",'
            f'"medium":"medium-{rng.randrange(5)}","campaign":"campaign-{int(rng.random() ** 2 * 20)}",'
            f'"country":"C{int(rng.random() ** 3 * 40)}","device":"{rng.choice(["desktop", "mobile", "tablet"])}",'
            f'"path":"/p/{int(rng.random() ** 3 * 200)}","props":{{"width":1920,"title":"Pricing","ok":true}}}}')
    return "\n".join(out).encode()


def batches(events, days=DAYS):
    """Batches over the days, oldest first, up to now."""
    now, rng = time.time() - 60, random.Random(1)
    for first in range(0, events, BATCH):
        at = now - days * 86_400 * (1 - first / events)
        yield lines(first, BATCH, at, rng)


def fill(service, renewed, events):
    """Fills the tenant with four connections; the time of making the bodies does not count."""
    made, sent, busy, latencies = batches(events), 0, 0.0, []
    while sent < events:
        piece = [body for _, body in zip(range(100), made)]
        senders = [Sender(service, renewed()) for _ in range(CLIENTS)]
        began = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda n: [senders[n].send(body) for body in piece[n::CLIENTS]], range(CLIENTS)))
        busy += time.perf_counter() - began
        sent += BATCH * len(piece)
        latencies += [took for sender in senders for took in sender.took]
    return sent / busy, latencies


def ingest(service, renewed, seconds, report):
    """One connection, batches of 1,000 and of 100, of now."""
    rng = random.Random(2)
    for size in (BATCH, 100):
        sender = Sender(service, renewed())
        number = seconds * (60 if size == BATCH else 200)
        bodies = [lines(10_000_000 + n * size, size, time.time() - 300, rng) for n in range(number)]
        before, began = measure.cpu_seconds(service.pids()), time.perf_counter()
        for body in bodies:
            sender.send(body)
            if time.perf_counter() - began > seconds:
                break
        took = time.perf_counter() - began
        done = len(sender.took)
        cpu = (measure.cpu_seconds(service.pids()) - before) / done * 1e3
        p99 = measure.percentile(sender.took, 0.99)
        if size == BATCH:
            rate = done * size / took
            report.add("ingest, 1 connection, batches of 1,000", f"{rate:.0f} events/s", f"{cpu:.1f} ms CPU a batch")
        limit = 100 if size == BATCH else 20
        report.add(f"ingest, batch of {size}, p99", f"{p99:.0f} ms", budget=f"≤ {limit} ms", ok=p99 <= limit)


def counts(tenant):
    return measure.sql(f"""SELECT (SELECT count(*) FROM analytics.tracked_events WHERE tenant_id = '{tenant}') || ' ' ||
        (SELECT sum(cnt) FROM analytics.counts_15m WHERE tenant_id = '{tenant}' AND dim = '') || ' ' ||
        (SELECT sum(cnt) FROM analytics.counts_day WHERE tenant_id = '{tenant}' AND dim = '' AND zone = 'UTC')""")


def replay(service, renewed, tenant, report):
    """The same events by four clients at once: counted once."""
    bodies = list(batches(REPLAYED, 3))
    senders = [Sender(service, renewed()) for _ in range(CLIENTS)]

    def all_of(n):
        for body in bodies[n * 7:] + bodies[:n * 7]:
            senders[n].send(body)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(all_of, range(CLIENTS)))
    accepted = sum(sender.accepted for sender in senders)
    # The feeds have added what happened when the tenant was made.
    stored, quarters, days = counts(tenant).split(" ")
    report.add(f"{REPLAYED} events by {CLIENTS} clients at once", f"{accepted} counted", f"{stored} stored, {quarters}, {days}",
               budget=f"{REPLAYED}", ok=accepted == REPLAYED and stored == quarters == days)


def rebuild(service, token, tenant, events, report):
    """Every day is counted again from its events, as somebody orders it: once when all is right, once when nothing is."""
    wrong = f"""UPDATE analytics.rollup_15m SET cnt = cnt + 1 WHERE tenant_id = '{tenant}';
        DELETE FROM analytics.rollup_day WHERE tenant_id = '{tenant}'; DELETE FROM analytics.unique_sketches WHERE tenant_id = '{tenant}';"""
    for state, sql in (("all of them right", None), ("all of them wrong", wrong)):
        if sql:
            measure.sql(sql)
        began = time.perf_counter()
        path = "/api/analytics/rollup-rebuilds"
        path += f"/{servers.call('POST', service.url + path, {}, token)['id']}"
        while servers.call("GET", service.url + path, None, token)["status"] != "succeeded":
            time.sleep(0.1)
        rate = events / (time.perf_counter() - began)
        report.add(f"counting all days again, {state}", f"{rate:.0f} events/s", budget="≥ 300,000/s", ok=rate >= 300_000)
    stored, quarters, days = counts(tenant).split(" ")
    report.add("events, and counts by quarter and by day, afterwards", f"{stored}, {quarters}, {days}", ok=stored == quarters == days)


def stream(service, token, sender, seconds, report):
    """From sending an event to the watcher's delta."""
    watching = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    watching.request("GET", "/api/realtime/stream", headers={"Authorization": f"Bearer {token}"})
    answer = watching.getresponse()
    heard, rng, took = threading.Condition(), random.Random(3), []
    deltas = []

    def listen():
        while line := answer.fp.readline():
            if line.startswith(b"event: delta"):
                with heard:
                    deltas.append(time.perf_counter())
                    heard.notify()

    threading.Thread(target=listen, daemon=True).start()
    for n in range(max(seconds, 5)):
        time.sleep(1.2)
        began, before = time.perf_counter(), len(deltas)
        sender.send(lines(20_000_000 + n, 1, time.time() - 1, rng))
        with heard:
            if not heard.wait_for(lambda: len(deltas) > before, timeout=10):
                raise SystemExit("a watcher was not told of an event")
        took.append((deltas[before] - began) * 1e3)
    p99 = measure.percentile(took, 0.99)
    report.add("from an event to its watcher, p99", f"{p99:.0f} ms", budget="≤ 1,000 ms", ok=p99 <= 1000)


def dashboards(service, token, seconds, report):
    """Thirty days and the thirty before."""
    path = "/api/dashboards/overview?days=30"
    load = measure.wrk(service.url + path, service.pids(), seconds, servers.WORK, connections=8, token=token)
    p99 = measure.percentile(measure.constant_rate(service.port, path, 100, seconds, token), 0.99)
    report.add("dashboard of 30 days, 8 connections", f"{load.rate:.0f}/s", f"{load.cpu_us:.0f} µs CPU each")
    report.add("dashboard of 30 days at 100/s, p99", f"{p99:.0f} ms", budget="≤ 50 ms", ok=p99 <= 50)


def bench(fleet, new_tenant, login, options, report):
    """All of it."""
    identity, service = fleet.service("identity"), fleet.service("analytics")
    again, large = new_tenant(identity), new_tenant(identity)
    tokens = servers.Tokens(lambda: login(identity, large))
    replay(service, servers.Tokens(lambda: login(identity, again)), again["tenant"], report)
    rate, latencies = fill(service, tokens, options.events)
    p99 = measure.percentile(latencies, 0.99)
    report.add(f"ingest, {CLIENTS} connections, {options.events} events", f"{rate:.0f} events/s", f"p99 {p99:.0f} ms a batch",
               budget="≥ 40,000/s", ok=rate >= 40_000)
    measure.sql("VACUUM ANALYZE analytics.tracked_events, analytics.rollup_15m, analytics.rollup_day;")
    ingest(service, tokens, options.seconds, report)
    dashboards(service, tokens(), options.seconds, report)
    stream(service, tokens(), Sender(service, tokens()), options.seconds, report)
    rebuild(service, tokens(), large["tenant"], options.events, report)
    rss = measure.rss_mib(service.pids())
    report.add("memory of analytics afterwards", f"{rss:.0f} MiB")
