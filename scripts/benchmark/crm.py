"""What the CRM does with a large tenant: importing files, and searching among 150,000 leads beside another tenant of that size."""

import http.client
import json
import pathlib
import time
import urllib.parse

import measure
import servers

HEAD = "email,first_name,last_name,company_name,title,city,employees\n"
FIRST = ["Ada", "Grace", "Alan", "Linus", "Barbara", "Edsger", "Donald", "Margaret"]
# Last names of three syllables.
SYLLABLES = [
    ["ba", "ro", "ne", "ka", "li", "mo", "ta", "ves", "der", "stein"],
    ["son", "berg", "man", "ov", "ski", "ter", "wil", "hart", "gra", "fel"],
    ["nor", "dal", "quin", "zel", "pat", "rick", "mor", "gan", "sul", "van"],
]
# Words, parts of words, addresses, typing errors.
SEARCHES = ["ada bason", "barbara", "stein", "u77@", "steinskidal industries", "grace rohart", "industries 42", "teinski",
            "katergan", "steinskidall", "Margraet"]
TYPED = ["ba", "bar", "grace r", "steins", "lin"]
SMALL, LARGE, SEARCHED = 100_000, 1_000_000, 150_000


def file_of(rows):
    """A CSV file in which one row in fifty is the same as another."""
    def line(n):
        n = n - 7 if n % 50 == 49 else n
        name = "".join(part[n // 10**place % 10] for place, part in enumerate(SYLLABLES))
        return (f"u{n}@{name}{n % 5000}.example,{FIRST[n % 8]},{name.title()},{name.title()} Industries {n % 997},Engineer,Berlin,"
                f"{n % 900}\n")
    return (HEAD + "".join(map(line, range(rows)))).encode()


def imported(service, token, body):
    """Sends a file and waits until it is imported. Gives the seconds that it took and what came of it."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=300)
    headers = {"Authorization": f"Bearer {token()}", "Content-Type": "text/csv"}
    began = time.perf_counter()
    connection.request("POST", "/api/leads/import", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 202:
        raise SystemExit(f"POST /api/leads/import: {answer.status} {text[:500]!r}")
    path = f"{service.url}/api/imports/{json.loads(text)['id']}"
    while not (state := servers.call("GET", path, None, token()))["finished_at"]:
        time.sleep(0.2)
    return time.perf_counter() - began, state


def peak_mib(service):
    status = pathlib.Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def timed_import(service, renewed, report, rows):
    """A file into a tenant of its own; the first against the clock, a large one against memory."""
    took, state = imported(service, renewed(), file_of(rows))
    whole = sum(state[name] for name in ("created", "updated", "skipped", "failed")) == rows
    told = ", ".join(f"{state[name]} {name}" for name in ("created", "skipped"))
    report.add(f"import of {rows} rows", f"{took:.1f} s", told, budget="≤ 15 s" if rows == SMALL else "",
               ok=whole and (rows != SMALL or took <= 15))


def memory(service, report):
    peak = peak_mib(service)
    report.add("most memory of the CRM by then", f"{peak:.0f} MiB", budget="≤ 150 MiB", ok=peak <= 150)


def documents(report):
    """Waits until all that was imported can be found: a job writes the documents of the search in the background."""
    began = time.perf_counter()
    while measure.sql("SELECT EXISTS (SELECT FROM crm.search_backlog);") != "f":
        time.sleep(1)
    report.add("until all that was imported can be found", f"{time.perf_counter() - began:.0f} s")


def search(service, renewed, report):
    """Every search one after the other, five times, after a round that fills the caches."""
    body = file_of(SEARCHED)
    tokens = [renewed(), renewed()]
    for token in tokens:
        imported(service, token, body)
    documents(report)
    measure.sql("VACUUM ANALYZE crm.leads, crm.search_documents;")
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    for what, path, texts in (("search", "/api/search?mode=text&q=", SEARCHES), ("suggest", "/api/search/suggest?q=", TYPED)):
        took = []
        for turn in range(6):
            for text in texts:
                began = time.perf_counter()
                connection.request("GET", path + urllib.parse.quote(text), headers={"Authorization": f"Bearer {tokens[0]()}"})
                answer = connection.getresponse()
                if answer.status != 200:
                    raise SystemExit(f"GET {path}{text}: {answer.status}")
                answer.read()
                if turn:
                    took.append((time.perf_counter() - began) * 1e3)
        p95, longest = measure.percentile(took, 0.95), max(took)
        report.add(f"{what} among {SEARCHED} leads, p95", f"{p95:.1f} ms", f"longest {longest:.1f} ms", budget="≤ 20 ms",
                   ok=p95 <= 20)


def bench(fleet, new_tenant, login, _options, report):
    """All of it."""
    identity, service = fleet.service("identity"), fleet.service("crm")

    def renewed():
        account = new_tenant(identity)
        return servers.Tokens(lambda: login(identity, account))

    timed_import(service, renewed, report, SMALL)
    search(service, renewed, report)
    timed_import(service, renewed, report, LARGE)
    memory(service, report)
