"""The .bat twins: what can be seen in the text, and a run of them under wine where that is installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import SCRIPTS, SERVICES

BATS = sorted(SCRIPTS.glob("*.bat"))
# lib.sh, docker-lib.sh and the check are for Linux: nothing on Windows sources or runs them
SHELL_ONLY = {"lib", "docker-lib"}


def text_of(path):
    return path.read_bytes().decode()


def options_of(text):
    """The options that a help text lists."""
    return re.findall(r"^(?:echo )? {2}(--[a-z-]+)", text, re.MULTILINE)


def help_of(path):
    text = text_of(path)
    if path.suffix == ".sh":
        return text[text.index("<<'HELP'") : text.index("\nHELP\n")]
    return "\n".join(line for line in text.replace("\r", "").split("\n") if line.startswith("echo"))


def test_every_script_has_its_twin():
    shell = {path.stem for path in SCRIPTS.glob("*.sh")} - SHELL_ONLY
    # lib-secret.bat is a part of lib-deploy.sh, lib-docker.bat is docker-lib.sh
    windows = {path.stem for path in BATS} - {"lib-secret", "lib-docker"}
    docker = {"docker-build", "docker-start", "docker-stop"}
    assert shell | docker == windows


@pytest.mark.parametrize("bat", BATS, ids=lambda path: path.stem)
class TestText:
    def test_lines_end_as_on_windows_and_the_file_is_not_long(self, bat):
        data = bat.read_bytes()
        assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r") <= 400
        assert data.endswith(b"\r\n") and data.startswith(b"@echo off\r\n")

    def test_the_help_lists_the_same_options_and_all_are_handled(self, bat):
        twin = bat.with_suffix(".sh")
        if bat.stem.startswith("lib-"):
            return
        if not twin.exists():
            pytest.skip("the twin is not here")
        options = options_of(help_of(bat))
        assert options == options_of(help_of(twin)) and "--help" in options
        handled = text_of(bat) + text_of(SCRIPTS / "lib-deploy.bat") + text_of(SCRIPTS / "lib-operator.bat")
        for option in options if bat.stem != "setup-k3s" else []:  # it passes all of them on
            assert f'"%~1"=="{option}"' in handled, option

    def test_it_is_flat(self, bat):
        for line in text_of(bat).split("\r\n"):
            assert not re.search(r"\bfor\b.*\bgoto\b", line), line
            assert not line.rstrip().endswith("("), line
            assert "||" not in line and "&&" not in line, line

    def test_every_label_that_is_called_is_there(self, bat):
        text = text_of(bat)
        for label in re.findall(r"\bgoto ([a-z_0-9]+)|\bcall :([a-z_0-9]+)", text):
            label = label[0] or label[1]
            assert f"\r\n:{label}\r\n" in text, label
        for library, label in re.findall(r'call "%(?:~dp0)?([A-Za-z-]+)(?:%|\.bat)" :([a-z_0-9]+)', text):
            library = "lib-deploy" if library == "LIB" else library
            assert f"\r\n:{label}\r\n" in text_of(SCRIPTS / f"{library}.bat"), (library, label)

    def test_no_redirection_takes_a_digit_of_the_text(self, bat):
        for line in text_of(bat).split("\r\n"):
            assert not re.search(r"^(?:if .* )?echo .*>>", line), line


def test_the_pods_extra_lines_are_the_same():
    def lines(text, pattern):
        return [re.sub(r"[$%](\w+)%?", r"<\1>", line) for line in re.findall(pattern, text)]

    shell = lines(text_of(SCRIPTS / "lib-operator.sh"), r'say "( +- \{name: .*)"')
    windows = lines(text_of(SCRIPTS / "lib-operator.bat").replace("\r", ""), r"echo ( +- \{name: .*)")
    assert len(shell) == 4 and shell == windows


def test_the_pods_parts_have_nothing_that_cmd_takes_for_its_own():
    for part in ("operator-pod", "operator-container", "operator-environment", "files-container"):
        assert not set((SCRIPTS / "manifests" / f"{part}.yaml").read_text()) & set('"&<>|%^!')


# --- under wine ------------------------------------------------------------------------------------------------------

WINE = shutil.which("wine64") or shutil.which("wine")
needs_wine = pytest.mark.skipif(WINE is None, reason="wine is not installed: apt-get install -y --no-install-recommends wine")


@pytest.fixture(scope="session")
def wine_environment(tmp_path_factory):
    prefix = Path(os.environ.get("BIZOSAAS_DEV_DIR", SCRIPTS.parent / ".dev")) / "wine"
    prefix.parent.mkdir(exist_ok=True)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "WINEPREFIX": str(prefix),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree=;mshtml=",
    }
    if not (prefix / "system.reg").exists():
        subprocess.run([WINE, "wineboot", "-i"], env=env, capture_output=True, timeout=300, check=False)
    return env


class Windows:
    """A copy of the scripts, and stubs that are batch files."""

    def __init__(self, root, env):
        self.env, self.root, self.rules = env, root, []
        self.repo, self.bin = root / "repo", root / "bin"
        self.bin.mkdir()
        shutil.copytree(SCRIPTS, self.repo / "scripts", ignore=shutil.ignore_patterns("tests", "__pycache__", "benchmark"))
        for path, content in {
            "k8s/overlays/dev/kustomization.yaml": "namespace: bizosaas-dev\n",
            "helm/bizosaas/Chart.yaml": 'appVersion: "0.1.0"\n',
            "scripts/health-check.bat": '@echo off\n>>"%CALLS%" echo health-check %*\n',
        }.items():
            file = self.repo / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content.replace("\n", "\r\n"))
        self.reply("get service bizosaas-identity", "NodePort")
        self.reply("config view", "https://127.0.0.1:6443")

    def reply(self, words, answer="", code=0):
        self.rules.insert(0, (words, answer, code))

    def write_stubs(self):
        for program in ("kubectl", "helm", "docker", "kind", "minikube", "powershell", "certutil"):
            lines = ["@echo off", f'>>"%CALLS%" echo {program} %*', f'>"%CALLS%.line" echo {program} %*']
            # the manifest of a pod is gone when the script ends
            lines += ['if "%~4"=="--filename" copy "%~5" "%CALLS%.pod" >nul']
            for number, (words, answer, code) in enumerate(self.rules):
                lines += [f'find "{words}" <"%CALLS%.line" >nul', f"if errorlevel 1 goto next{number}"]
                lines += [f"echo {line}" for line in answer.splitlines()]
                lines += [f"exit /b {code}", f":next{number}"]
            (self.bin / f"{program}.bat").write_text("\r\n".join([*lines, "exit /b 0", ""]))

    def run(self, script, *arguments, code=0):
        self.write_stubs()
        calls = self.root / "calls"
        calls.write_text("")
        runner = self.root / "run.bat"
        words = " ".join(f'"{word}"' if re.search(r"[=\\]", str(word)) else str(word) for word in arguments)
        lines = [f'set "CALLS=Z:{calls}"', f'set "PATH=Z:{self.bin};%PATH%"', f'"Z:{self.repo}/scripts/{script}.bat" {words}']
        # without `call`, which loses exit codes in wine, the script takes over
        runner.write_text("@echo off\r\n" + "\r\n".join(lines).replace("/", "\\") + "\r\n")
        result = subprocess.run(
            [WINE, "cmd", "/c", f"Z:{runner}".replace("/", "\\")],
            env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, cwd=self.root,
        )  # fmt: skip
        self.output = result.stdout + result.stderr
        self.lines = [line.strip() for line in calls.read_text(errors="replace").splitlines()]
        returned = result.returncode
        assert returned == code, f"exit code {returned}, not {code}:\n{self.output}\n{self.lines}"

    def order(self, *words):
        position = 0
        for word in words:
            found = [index for index in range(position, len(self.lines)) if word in self.lines[index]]
            assert found, f"no call with {word!r} in {self.lines[position:]}"
            position = found[0] + 1


@pytest.fixture
def windows(tmp_path, wine_environment):
    return Windows(tmp_path, wine_environment)


@needs_wine
class TestRun:
    def test_help_and_mistakes_have_their_exit_codes(self, windows):
        windows.run("helm-deploy", "--help")
        assert "--no-rollback" in windows.output and windows.lines == []
        windows.run("helm-deploy", "--nonsense", code=2)
        windows.run("helm-deploy", "--tag", code=2)
        windows.run("helm-deploy", "--set", "database.password=hunter2", code=2)
        assert windows.lines == [] and "hunter2" not in windows.output

    def test_helm_deploy(self, windows):
        windows.reply("helm version", "v4.1.0")
        windows.reply("history", "3 Mon Nov 2 10:00:00 2026 deployed bizosaas-0.1.0")
        windows.reply("get manifest", "app.kubernetes.io/component: postgres")
        windows.reply("helm --namespace bizosaas-dev template", "app.kubernetes.io/component: postgres")
        windows.run("helm-deploy", "--set", "log.level=debug", "--tag", "0.2.0")
        windows.order("helm --namespace bizosaas-dev upgrade --install bizosaas", "health-check --host localhost --wait 900")
        (call,) = [line for line in windows.lines if "upgrade" in line]
        for words in ('--set "log.level=debug"', '--set-string "image.tag=0.2.0"', "--reset-then-reuse-values --wait --timeout 900s", "--rollback-on-failure"):
            assert words in call
        windows.reply("get manifest", "kind: Job")
        windows.run("helm-deploy", code=1)
        assert "database.mode" in windows.output and not [line for line in windows.lines if "upgrade" in line]

    def test_k8s_deploy_waits_and_a_dry_run_changes_nothing(self, windows):
        windows.reply("get namespace", "namespace/bizosaas-dev")
        windows.reply("get secret bizosaas --ignore-not-found", "secret/bizosaas")
        keys = " ".join(["platform-secret", *(f"{schema}-db-password" for schema in ("identity", "ai", "chat", "crm", "analytics"))])
        windows.reply("go-template", f"{keys} ")
        windows.run("k8s-deploy", "--tag", "0.2.0")
        windows.order("delete jobs", "apply -k", "get jobs", *[f"rollout status deployment/bizosaas-{n}" for n in SERVICES], "health-check")
        kustomization = (windows.repo / ".dev/k8s-deploy/kustomization.yaml").read_text()
        assert "resources: [../../k8s/overlays/dev]" in kustomization and kustomization.count("newTag: '0.2.0'") == 6
        windows.run("k8s-deploy", "--dry-run")
        assert "apply -k" in windows.output
        assert not [line for line in windows.lines if "apply" in line or "delete" in line]

    def test_delete_keeps_data_unless_purged_and_asks(self, windows):
        windows.reply("get namespace", "namespace/bizosaas-dev")
        windows.run("k8s-delete", code=1)
        assert not [line for line in windows.lines if " delete " in line or "uninstall" in line]
        windows.run("k8s-delete", "--yes")
        assert not [line for line in windows.lines if "delete persistentvolumeclaims" in line or "delete secrets" in line]
        windows.order("uninstall bizosaas --wait", "delete")
        windows.run("k8s-delete", "--yes", "--purge")
        windows.order("delete persistentvolumeclaims", "delete secrets bizosaas bizosaas-secrets")

    def test_rollback_refuses_what_cannot_work(self, windows):
        windows.reply("history", "1 Mon Nov 2 10:00:00 2026 superseded bizosaas-0.1.0")
        windows.reply("get manifest", "          image: bizosaas/bizosaas:0.1.0")
        windows.reply("go-template", "postgres-admin-password ")
        windows.reply("{.status.phase}", "Succeeded")
        windows.reply("logs", '{"schemas": [{"schema": "crm", "state": "newer"}]}')
        windows.run("rollback", "--yes")
        windows.order("history", "get manifest bizosaas --revision 1", "create --filename", "rollback bizosaas 1 --wait", "delete pod")
        windows.reply("logs", '{"schemas": [{"schema": "crm", "state": "wrong"}]}')
        windows.run("rollback", "--yes", code=1)
        assert not [line for line in windows.lines if "rollback bizosaas" in line]

    def test_backup_makes_the_pod_that_the_shell_script_makes(self, windows, tmp_path):
        windows.reply("containers[0].image", "registry.example/bizosaas/identity:0.2.0")
        windows.reply("imagePullSecrets", "registry")
        windows.reply("configMapRef", "bizosaas-5h8g7c")
        windows.reply("go-template", "postgres-admin-password ")
        windows.reply("{.status.phase}", "Running")
        windows.reply("sha256sum", "0011ff /backup/backup.tar")
        windows.reply("certutil", "SHA256 hash of it:\n0011ff")
        windows.reply("cat /backup/backup.tar", "a backup")
        windows.run("backup", "--out", f"Z:{tmp_path}\\b.tar".replace("/", "\\"))
        assert (tmp_path / "b.tar").read_text().strip() == "a backup"
        windows.order("create --filename", "exec", "touch /backup/passed", "delete pod")
        pod = yaml.safe_load((tmp_path / "calls.pod").read_text())
        operator = pod["spec"]["initContainers"][0]
        assert operator["image"] == "registry.example/bizosaas/bizosaas:0.2.0"
        assert operator["args"] == ["backup", "--out", "/backup/backup.tar"]
        assert operator["envFrom"] == [{"configMapRef": {"name": "bizosaas-5h8g7c"}}]
        assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]
        assert pod["spec"]["containers"][0]["command"][2] == "until test -e /backup/passed; do sleep 1; done"
        windows.reply("certutil", "SHA256 hash of it:\n00eeff")
        windows.run("backup", "--out", f"Z:{tmp_path}\\c.tar".replace("/", "\\"), code=1)
        assert "damaged" in windows.output and not list(tmp_path.glob("c.tar*"))

    def test_create_owner_makes_the_pod_that_the_shell_script_makes(self, windows, tmp_path):
        (tmp_path / "password").write_text("correct horse")
        file = f"Z:{tmp_path}\\password".replace("/", "\\")
        windows.reply("containers[0].image", "bizosaas/identity:0.1.0")
        windows.reply("go-template", "platform-secret ")
        windows.reply("startedAt", "2026-11-26T12:00:00Z")
        windows.reply("{.status.phase}", "Succeeded")
        windows.reply("sha256sum", "0011ff /backup/password")
        windows.reply("certutil", "SHA256 hash of it:\n0011ff")
        windows.reply("logs", "made the tenant acme")
        owner = ["--email", "you@example.com", "--password-file", file]
        windows.run("create-owner", *owner, "--name", "O'Brien $(HOME): x=1")  # quoted for its =
        assert "made the tenant acme" in windows.output and "correct horse" not in windows.output + "".join(windows.lines)
        windows.order("create --filename", "startedAt", "exec --stdin", "sha256sum /backup/password", "touch", "logs", "delete pod")
        (operator,) = yaml.safe_load((tmp_path / "calls.pod").read_text())["spec"]["containers"]
        name = "--name=O'Brien $$(HOME): x=1"
        assert operator["args"] == ["create-owner", "--email=you@example.com", name, "--password-file", "/backup/password"]
        windows.run("create-owner", *owner, "--name", '"Smith & Sons"', code=2)
        windows.run("create-owner", "--password-file", file, code=2)
        assert windows.lines == []
        (tmp_path / "password").write_text("")
        windows.run("create-owner", *owner, code=1)
        assert "is empty" in windows.output and windows.lines == []

    def test_kind(self, windows):
        windows.reply("helm version", "v4.1.0")
        windows.run("setup-kind")
        windows.order("kind create cluster --name bizosaas", "docker save", "kind load image-archive", "helm --kube-context kind-bizosaas", "health-check")
        windows.reply("inspect bizosaas/crm", code=1)
        windows.run("setup-kind", code=1)
        assert "bizosaas/crm:0.1.0" in windows.output and not [line for line in windows.lines if "create" in line]
