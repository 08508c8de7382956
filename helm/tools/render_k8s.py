"""Writes what is generated in k8s/ from the chart, so that the two cannot disagree.

    render_k8s.py           write
    render_k8s.py --check   fail, with the difference, when a file is not what would be written
"""

import difflib
import sys

import yaml
from chart import CHART, REPO, SERVICES, template

K8S = REPO / "k8s"
HEADER = "# Generated from helm/bizosaas by scripts/render-k8s; do not edit.\n"
# Stands for the namespace, which an overlay chooses: within one namespace the short names of Services do.
NAMESPACE = "namespace-of-the-overlay"
SUFFIX = f".{NAMESPACE}.svc.cluster.local"
# What differs between a bundled and an existing database; the rest of the ConfigMap is the base's.
INFRASTRUCTURE = ("POSTGRES_", "CACHE_", "REDIS_", "PGSSL")
DATABASE = ["POSTGRES_DB", "POSTGRES_HOST", "POSTGRES_PORT"]


class Dumper(yaml.SafeDumper):
    """Indents lists as the rest of the repository does."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data):
        return True


def text_of(data):
    return "|" if "\n" in data else None


Dumper.add_representer(str, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", data, style=text_of(data)))


def dump(items):
    return HEADER + "---\n".join(yaml.dump(item, Dumper=Dumper, sort_keys=False, width=125) for item in items)


def clean(item):
    """Without what only Helm knows: chart labels, the namespace, the checksum of a ConfigMap that kustomize hashes itself."""
    metadata = item["metadata"]
    metadata.pop("namespace", None)
    for label in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
        metadata["labels"].pop(label)
    pod = item.get("spec", {}).get("template", {}).get("metadata", {})
    if pod.get("annotations", {}).pop("checksum/config", None) and not pod["annotations"]:
        del pod["annotations"]
    return item


def rendered(*values, sets=()):
    sets = ("secrets.existingSecret=bizosaas", *sets)
    items = [clean(item) for item in template(*values, sets=sets, namespace=NAMESPACE)]
    text = yaml.dump_all(items, Dumper=Dumper, sort_keys=False).replace(SUFFIX, "")
    return [item for item in yaml.safe_load_all(text) if item["kind"] != "Pod"]


def component_of(item):
    return item["metadata"]["labels"]["app.kubernetes.io/component"]


def pick(items, kind, *names):
    """The objects of a kind, all or those with these names (without the prefix)."""
    return [
        item
        for item in items
        if item["kind"] == kind and (not names or item["metadata"]["name"].removeprefix("bizosaas-") in names)
    ]


def config_env(items, infrastructure):
    """The ConfigMap as an env file, for configMapGenerator."""
    data = pick(items, "ConfigMap")[0]["data"]
    wanted = [name for name in data if name.startswith(INFRASTRUCTURE) == infrastructure]
    return HEADER + "".join(f"{name}={data[name]}\n" for name in wanted)


def migrate_job(items):
    """The Job under a fixed name, which is deleted before it is applied again; where the database is, is the ConfigMap's."""
    (job,) = pick(items, "Job")
    job["metadata"]["name"] = "bizosaas-migrate"
    pod = job["spec"]["template"]["spec"]
    for container in pod.get("initContainers", []) + pod["containers"]:
        for entry in container["env"]:
            if entry["name"] in DATABASE:
                del entry["value"]
                entry["valueFrom"] = from_config(entry["name"])
    pod["containers"][0]["env"].append({"name": "PGSSLMODE", "valueFrom": from_config("PGSSLMODE", optional=True)})
    return job


def from_config(name, **more):
    return {"configMapKeyRef": {"name": "bizosaas", "key": name, **more}}


def base(files):
    items = rendered(CHART / "values-reuse-infrastructure.yaml")
    directory = "base/"
    for service in SERVICES:
        kinds = ("Deployment", "Service", "PodDisruptionBudget")
        files[f"{directory}{service}.yaml"] = dump([pick(items, kind, service)[0] for kind in kinds])
    files[f"{directory}serviceaccount.yaml"] = dump(pick(items, "ServiceAccount"))
    own = pick(items, "NetworkPolicy", "default-deny", "siblings", *SERVICES)
    files[f"{directory}networkpolicies.yaml"] = dump(own)
    files[f"{directory}config.env"] = config_env(items, infrastructure=False)


def bundled(files):
    items = rendered()
    directory = "components/bundled/"
    servers = [item for item in items if component_of(item) in ("postgres", "redis")]
    files[f"{directory}postgres-and-redis.yaml"] = dump(servers)
    files[f"{directory}networkpolicies.yaml"] = dump(pick(items, "NetworkPolicy", "postgres", "redis", "database", "cache"))
    files[f"{directory}migrate-job.yaml"] = dump([migrate_job(items)])
    files[f"{directory}config.env"] = config_env(items, infrastructure=True)


def existing(files):
    items = rendered(CHART / "values-reuse-infrastructure.yaml")
    directory = "components/existing-infrastructure/"
    files[f"{directory}networkpolicies.yaml"] = dump(pick(items, "NetworkPolicy", "database", "cache"))
    files[f"{directory}migrate-job.yaml"] = dump([migrate_job(items)])
    files[f"{directory}config.env"] = config_env(items, infrastructure=True)


def production(files):
    items = rendered(CHART / "values-prod.yaml")
    files["components/autoscaling/autoscalers.yaml"] = dump(pick(items, "HorizontalPodAutoscaler"))
    files["components/ingress/ingress.yaml"] = dump(pick(items, "Ingress"))


def generate():
    """Paths below k8s/ and their contents."""
    files = {}
    for part in (base, bundled, existing, production):
        part(files)
    return files


def main():
    files = generate()
    if "--check" not in sys.argv:
        for path, text in files.items():
            (K8S / path).write_text(text)
        return 0
    stale = 0
    for path, text in files.items():
        present = (K8S / path).read_text() if (K8S / path).exists() else ""
        difference = difflib.unified_diff(present.splitlines(), text.splitlines(), f"k8s/{path}", "would be", lineterm="")
        for line in difference:
            stale = 1
            print(line)
    if stale:
        print("k8s/ is not what the chart gives: run scripts/render-k8s", file=sys.stderr)
    return stale


if __name__ == "__main__":
    sys.exit(main())
