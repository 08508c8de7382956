"""The servers that are measured: each service alone, the whole platform in one process, the FastAPI peer."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

WORK = pathlib.Path(os.environ["BENCH_WORK"])
TARGET = pathlib.Path(os.environ["BENCH_TARGET"])
PORT_OFFSET = 4000
# name, prefix of its database role, variable by which the others find it
SERVICES = [
    ("identity", "identity", "IDENTITY_URL"),
    ("ai-orchestrator", "ai", "AI_ORCHESTRATOR_URL"),
    ("chatbot", "chat", "CHATBOT_URL"),
    ("crm", "crm", "CRM_URL"),
    ("analytics", "analytics", "ANALYTICS_URL"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def database_url(role, password, driver="postgres"):
    """The database's address for another role."""
    address = os.environ["DATABASE_URL"].split("@", 1)[1]
    return f"{driver}://{role}:{password}@{address}"


def call(method, url, body=None, token=None):
    """One request; gives the JSON of the answer."""
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error


class Tokens:
    """Tokens of one account; a new one before the last one ends."""

    def __init__(self, login):
        self.login, self.token, self.since = login, None, 0.0

    def __call__(self):
        if not self.token or time.monotonic() - self.since > 300:
            self.token, self.since = self.login(), time.monotonic()
        return self.token


class Server:
    """A running process; `ready_after` is how long it took until `path` answered 200, in milliseconds."""

    def __init__(self, name, command, environment, port, path, cwd=None):
        self.name, self.port = name, port
        self.url = f"http://127.0.0.1:{port}"
        self.log = WORK / f"{name}.log"
        began = time.perf_counter()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=cwd, start_new_session=True)
        self._wait(path, began + 60)
        self.ready_after = (time.perf_counter() - began) * 1e3

    def _wait(self, path, deadline):
        while time.perf_counter() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + path, timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.002)
        self.stop()
        raise SystemExit(f"{self.name} did not become ready:\n{self.log.read_text()[-2000:]}")

    def pids(self):
        """The process and its children."""
        found = [self.process.pid]
        for pid in found:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            found += [int(child) for child in children]
        return found

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class Fleet:
    """All servers of a run, stopped at its end."""

    def __init__(self):
        self.running = []
        self.ports = {name: free_port() for name, _, _ in SERVICES}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.running):
            server.stop()

    def _start(self, *arguments, **options):
        server = Server(*arguments, **options)
        self.running.append(server)
        return server

    def stop(self, server):
        server.stop()
        self.running.remove(server)

    def service(self, name):
        """One service alone in a process, as in its container."""
        _, schema, _ = next(entry for entry in SERVICES if entry[0] == name)
        environment = {
            **os.environ,
            "HOST": "127.0.0.1",
            "PORT": str(self.ports[name]),
            "ADMIN_PORT": str(free_port()),
            "DATABASE_URL": database_url(f"{schema}_api", os.environ[f"{schema.upper()}_DB_PASSWORD"]),
            "DRAIN_DELAY": "0s",
            "ENVIRONMENT": "development",  # accounts are usable without a mail
            **{variable: f"http://127.0.0.1:{self.ports[other]}" for other, _, variable in SERVICES},
        }
        return self._start(name, [str(TARGET / name)], environment, self.ports[name], "/health/ready")

    def platform(self):
        """`bizosaas up`, with all its ports moved out of the way."""
        command = [str(TARGET / "bizosaas"), "up", "--port-offset", str(PORT_OFFSET)]
        return self._start("bizosaas", command, {**os.environ}, 8004 + PORT_OFFSET, "/health/ready")

    def peer(self, directory):
        """The FastAPI peer with two workers, in a virtual environment that is made once."""
        venv = WORK / "peer-venv"
        if not (venv / "bin/uvicorn").exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
            requirements = str(pathlib.Path(directory) / "requirements.txt")
            subprocess.run([str(venv / "bin/pip"), "install", "--quiet", "-r", requirements], check=True)
        port = free_port()
        environment = {
            **os.environ,
            "DATABASE_URL": database_url("peer_api", "peer", "postgresql+asyncpg"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [str(venv / "bin/uvicorn"), "app:app", "--port", str(port), "--workers", "2", "--log-level", "warning"]
        return self._start("peer", command, environment, port, "/health", cwd=directory)
