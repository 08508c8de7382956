"""Measuring tools: processes' memory and CPU, wrk, pgbench, and a client that keeps a constant rate."""

import gc
import os
import pathlib
import re
import selectors
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def rss_mib(pids):
    """Resident memory of processes, in MiB."""
    total = 0
    for pid in pids:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M).group(1))
    return total / 1024


def cpu_seconds(pids):
    """User and system time that processes have used, in seconds."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Load:
    """What a load did: requests a second, CPU of the server per request in microseconds."""

    def __init__(self, rate, cpu_us):
        self.rate = rate
        self.cpu_us = cpu_us


def wrk(url, pids, seconds, work, connections=32, token=None, body=None):
    """Sends requests as fast as they are answered. `body` is a list of JSON texts to POST in turn."""
    script = work / "request.lua"
    headers = [f'["Authorization"] = "Bearer {token}"'] if token else []
    lines = []
    if body:
        headers.append('["Content-Type"] = "application/json"')
        lines.append("local bodies = {" + ", ".join(f"[==[{text}]==]" for text in body) + "}")
        lines.append("local turn = 0")
        lines.append("function request() turn = turn % #bodies + 1")
        lines.append('  return wrk.format("POST", nil, nil, bodies[turn]) end')
    lines.insert(0, "wrk.headers = {" + ", ".join(headers) + "}")
    script.write_text("\n".join(lines) + "\n")
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--script", str(script)]
    subprocess.run([*command, "--duration", "1s", url], check=True, stdout=subprocess.DEVNULL)
    before = cpu_seconds(pids)
    done = subprocess.run([*command, "--duration", f"{seconds}s", url], check=True, capture_output=True, text=True).stdout
    used = cpu_seconds(pids) - before
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", done)
    if failed:
        raise SystemExit(f"{url}: {failed.group(0)}\n{done}")
    requests = int(re.search(r"(\d+) requests in", done).group(1))
    return Load(float(re.search(r"Requests/sec:\s+([\d.]+)", done).group(1)), used / requests * 1e6)


def pgbench(url, script, seconds, clients, variables):
    """Transactions a second of a pgbench script, as prepared statements."""
    install = pathlib.Path(os.environ["BENCH_PG_INSTALL"])
    environment = {**os.environ, "LD_LIBRARY_PATH": str(install / "lib")}
    command = [str(install / "bin/pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2"]
    command += [f"--define={name}={value}" for name, value in variables.items()]
    command += [f"--file={script}", f"--time={seconds}", url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))


def sql(text, url=None):
    """Runs SQL, as the superuser unless a URL is given; gives the last result as text."""
    install = pathlib.Path(os.environ["BENCH_PG_INSTALL"])
    environment = {**os.environ, "LD_LIBRARY_PATH": str(install / "lib")}
    command = [str(install / "bin/psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"]
    done = subprocess.run([*command, url or os.environ["DATABASE_URL"]], input=text, check=True, capture_output=True,
                          text=True, env=environment)
    return done.stdout.strip()


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def constant_rate(port, path, rate, seconds, token=None, connections=16):
    """Sends GETs at a constant rate whether or not earlier ones were answered. Gives all latencies in milliseconds, each
    from the moment at which its request was due, so that a pause of the server counts for all that waited."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
    request = (request + (f"Authorization: Bearer {token}\r\n" if token else "") + "\r\n").encode()
    selector = selectors.SelectSelector()  # epoll's rounds waits up to whole milliseconds, which would count as latency
    free, busy, latencies = [], {}, []
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        free.append(connection)
    total, sent = int(rate * seconds), 0
    gc.disable()
    start = time.perf_counter()
    while len(latencies) < total:
        now = time.perf_counter()
        while sent < total and free and start + sent / rate <= now:
            connection = free.pop()
            busy[connection] = start + sent / rate
            connection.sendall(request)
            sent += 1
        wait = start + sent / rate - time.perf_counter() if sent < total and free else 1.0
        for key, _ in selector.select(max(wait, 0)):
            answer = key.fileobj.recv(65536)
            if not answer:
                raise SystemExit(f"{path}: the server closed a connection")
            due = busy.pop(key.fileobj, None)
            if due is None:
                continue  # the rest of an answer that came in two pieces
            if b" 200 " not in answer[:32]:
                raise SystemExit(f"{path}: {answer[:200]!r}")
            latencies.append((time.perf_counter() - due) * 1e3)
            free.append(key.fileobj)
    gc.enable()
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return latencies
