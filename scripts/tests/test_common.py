"""What all scripts that deploy have in common, and the documentation of them."""

import re

import pytest
import yaml
from conftest import SCRIPTS

REPO = SCRIPTS.parent
DEPLOYING = [
    "k8s-deploy", "k8s-delete", "k8s-status", "helm-deploy", "backup", "create-owner", "restore", "rollback", "setup-k3s",
    "setup-kind", "setup-minikube",
]  # fmt: skip
LIBRARIES = {"lib", "lib-deploy", "lib-operator", "lib-cluster", "docker-lib"}
DOCS = sorted((REPO / "docs").glob("*.md")) + [REPO / "README.md"]
VALUES = REPO / "helm" / "bizosaas" / "values.yaml"
# written elsewhere; a link to them is no mistake before they are there
LATER = {"backup-restore.md", "docker-build", "docker-start", "docker-stop"}


def names():
    return {path.stem for path in SCRIPTS.glob("*.sh")} - LIBRARIES


@pytest.mark.parametrize("script", DEPLOYING)
class TestEach:
    def test_help_lists_the_common_options_and_calls_nothing(self, world, script):
        world.run(script, "--help")
        assert world.calls() == []
        for option in ("--namespace", "--dry-run", "--yes", "--help"):
            assert f"\n  {option}" in world.output
        assert all(len(line) <= 125 for line in world.output.splitlines())

    def test_a_mistake_ends_with_code_2_and_calls_nothing(self, world, script):
        for arguments in (["--nonsense"], ["--namespace"], ["--timeout", "soon"], ["stray"], ["--release", "other"]):
            world.run(script, *arguments, code=2)
            assert world.calls() == [], arguments
            assert "error: " in world.output

    def test_it_is_short_and_executable(self, world, script):
        path = SCRIPTS / f"{script}.sh"
        assert path.stat().st_mode & 0o111 and len(path.read_text().splitlines()) <= 400


def test_the_list_of_scripts_in_the_documentation_is_complete():
    text = (REPO / "docs" / "deployment.md").read_text()
    table = text[text.index("<!-- scripts -->") : text.index("<!-- /scripts -->")]
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.MULTILINE)
    assert listed == sorted(listed)
    assert set(listed) - LATER == names() - LATER


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
class TestDocument:
    def test_scripts_and_options_that_it_names_exist(self, document):
        for line in document.read_text().splitlines():
            for name, rest in re.findall(r"scripts[/\\]([a-z0-9-]+)\.(?:sh|bat)([^#`|]*)", line):
                if name in LATER and not (SCRIPTS / f"{name}.sh").exists():
                    continue
                text = (SCRIPTS / f"{name}.sh").read_text()
                for option in re.findall(r"(?<!\S)--[a-z-]+", rest.split("&&")[0]):
                    assert f"  {option}" in text, (name, option)

    def test_links_lead_somewhere(self, document):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
            if "://" not in target and target.split("/")[-1] not in LATER:
                assert (document.parent / target).exists(), target

    def test_lines_are_not_long(self, document):
        if document.name in ("configuration.md", "performance.md"):
            return  # generated
        for line in document.read_text().splitlines():
            assert len(line) <= 135 or line.startswith("|"), line

    @pytest.mark.skipif(not VALUES.exists(), reason="the chart is not here")
    def test_values_of_the_chart_that_it_names_exist(self, document):
        if document.name in ("agents.md", "tenancy.md", "superset.md"):
            return  # name tools, tests and tables
        values = yaml.safe_load(VALUES.read_text())
        text = document.read_text()
        paths = re.findall(r"`([a-z][A-Za-z]*(?:\.[A-Za-z<>-]+)+)(?:[:=] ?[^`]*)?`", text) + re.findall(r"--set ([a-zA-Z.]+)=", text)
        for path in paths:
            if path.rpartition(".")[2] in ("md", "sh", "yaml", "example", "json", "exe", "dump", "sql", "toml", "sha256sum", "rs"):
                continue
            here = values
            for part in path.split("."):
                part = "crm" if part == "<name>" else part
                assert isinstance(here, dict) and (part in here or part in values["defaults"] or not here), path
                here = here.get(part, values["defaults"].get(part, {}))


@pytest.mark.skipif(not VALUES.exists(), reason="the chart is not here")
def test_values_that_the_scripts_set_exist():
    values = yaml.safe_load(VALUES.read_text())
    text = (SCRIPTS / "helm-deploy.sh").read_text()
    paths = re.findall(r'--set-string "([a-zA-Z.]+)=', text)
    assert set(paths) == {"image.tag", "image.registry", "secrets.existingSecret"}
    for path in paths:
        first, second = path.split(".")
        assert second in values[first], path


def test_the_readme_lists_every_document():
    readme = (REPO / "README.md").read_text()
    for document in (REPO / "docs").glob("*.md"):
        assert f"(docs/{document.name})" in readme, document.name
