"""A copy of the scripts in a repository of its own, with stubs for every program that changes something."""

import ast
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent
SERVICES = ["identity", "ai-orchestrator", "chatbot", "crm", "analytics"]
STUBS = ["docker", "kubectl", "helm", "k3s", "kind", "minikube", "curl", "sudo", "systemctl"]
# what the scripts may use of the system; PATH has nothing else, so that a test cannot touch a real cluster
TOOLS = (
    "awk basename bash cat chmod cksum cp cut date dirname env find grep head id ls mkdir mktemp mv od printf rm sed sh "
    "sha256sum sleep sort tail touch tr uname wc"
).split()

# what tells a bundled Postgres and Redis in the manifests of the chart
BUNDLED = "  app.kubernetes.io/component: postgres\n  app.kubernetes.io/component: redis\n"


@dataclass
class Call:
    program: str
    arguments: list
    stdin: str
    files: dict

    @property
    def line(self):
        return " ".join([self.program, *self.arguments])


class World:
    """One test's machine."""

    def __init__(self, root):
        self.repo = root / "repo"
        self.stubs = root / "stubs"
        self.bin = root / "bin"
        self.tools = root / "tools"
        self.rules = []
        for folder in (self.stubs, self.bin, self.tools, root / "home"):
            folder.mkdir(parents=True)
        self.home = root / "home"
        ignored = shutil.ignore_patterns("__pycache__", "tests", "benchmark")
        shutil.copytree(SCRIPTS, self.repo / "scripts", ignore=ignored)
        for overlay, component in (("dev", "bundled"), ("reuse-infrastructure", "existing-infrastructure")):
            text = f"namespace: bizosaas-dev\nresources: [../../base]\ncomponents: [../../components/{component}]\n"
            self.write(f"k8s/overlays/{overlay}/kustomization.yaml", text)
        self.write("helm/bizosaas/Chart.yaml", 'name: bizosaas\nappVersion: "0.1.0"\n')
        for tool in TOOLS:
            path = shutil.which(tool)
            if path:
                (self.tools / tool).symlink_to(path)
        for name in STUBS:
            self.install(name)
        self.save_rules()
        self.reply("^curl ", '{"status":"healthy"}\n200')
        self.reply("get service bizosaas-identity", "NodePort")
        self.reply("config view", "https://127.0.0.1:6443")

    def write(self, path, text):
        file = self.repo / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def install(self, name):
        stub = self.bin / name
        stub.write_text(f"#!{os.path.realpath(sys.executable)} -IS\n" + (Path(__file__).parent / "stub.py").read_text())
        stub.chmod(stub.stat().st_mode | stat.S_IXUSR)

    def uninstall(self, name):
        (self.bin / name).unlink()

    def save_rules(self):
        (self.stubs / "rules").write_text(repr(self.rules))

    def reply(self, pattern, *answers, code=0):
        """The newest rule that fits wins."""
        self.rules.insert(0, (len(self.rules), pattern, answers or ("",), code))
        self.save_rules()

    def run(self, script, *arguments, code=0, answer=None, **environment):
        (self.stubs / "calls").unlink(missing_ok=True)
        env = {
            "PATH": f"{self.bin}:{self.tools}",
            "HOME": str(self.home),
            "STUBS": str(self.stubs),
            "TMPDIR": str(self.home),
            **environment,
        }
        result = subprocess.run(
            ["bash", str(self.repo / "scripts" / f"{script}.sh"), *map(str, arguments)],
            env=env,
            input=answer,
            stdin=subprocess.DEVNULL if answer is None else None,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.home,
        )
        self.output = result.stdout + result.stderr
        assert result.returncode == code, f"exit code {result.returncode}, not {code}:\n{self.output}\n{self.lines()}"
        return result

    def calls(self):
        file = self.stubs / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [Call(*ast.literal_eval(line)) for line in lines]

    def lines(self):
        return [call.line for call in self.calls()]

    def find(self, *words):
        """The calls that have all these words."""
        return [call for call in self.calls() if all(word in call.line for word in words)]

    def changes(self):
        """The calls that change something."""
        reads = (
            " config view ", " get ", " version", " status", " history ", "kind get", "docker info", "docker port",
            "image inspect", "docker version", " save --help", " template ", " logs ", "curl ", "minikube ip", "helm list", " list ", "rollout status", "wait --for",
        )  # fmt: skip
        return [call for call in self.calls() if not any(word in f"{call.line} " for word in reads)]

    def order(self, *words):
        """Asserts that calls with these words came one after the other."""
        lines, position = self.lines(), 0
        for word in words:
            found = [index for index in range(position, len(lines)) if word in lines[index]]
            assert found, f"no call with {word!r} in {lines[position:]}"
            position = found[0] + 1

    def secret_values(self):
        """The values of the Secret that was created."""
        created = self.find("create secret generic")
        assert len(created) == 1, self.lines()
        return created[0].files

    def assert_secrets_stay_secret(self, values):
        assert values
        for value in values:
            assert value not in self.output
            for call in self.calls():
                assert value not in call.line and value not in call.stdin, call.line

    def nothing_is_left(self):
        return not [entry for entry in self.home.iterdir() if entry.name.startswith("tmp")]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def cluster(world):
    """With a release that Kustomize deployed, or none."""
    world.reply("^helm .*status", code=1)
    world.reply("helm version", "v4.1.0")
    world.reply(" template bizosaas", BUNDLED)
    return world
