"""The Helm chart: rendered by Helm itself, and judged by the schemas of every Kubernetes that it claims to work on."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot.config.load import load

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "understudy"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
META: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

BUILT = ROOT / ".venv" / "helm" / "helm"
HELM = str(BUILT) if BUILT.exists() else shutil.which("helm")
pytestmark = pytest.mark.skipif(HELM is None, reason="NO HELM: the chart was NOT rendered and NOT tested (`make helm`)")

POSTGRES = {"store": {"url": "postgresql://understudy@db.example.com/understudy", "passwordSecret": {"name": "db"}}}
EVERYTHING = {
    **POSTGRES,
    "secrets": {"files": [{"secret": "understudy-slack", "path": "slack"}]},
    "ingress": {"enabled": True, "host": "understudy.example.com", "tlsSecret": "tls", "className": "nginx"},
    "serviceMonitor": {"enabled": True},
}
OFFERED = {"default": {}, "postgresql": POSTGRES, "everything": EVERYTHING}

Manifests = list[dict[str, Any]]


def helm(*words: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run it with these values over those of the chart."""
    assert HELM is not None
    command = [HELM, *words, "--values", "-"] if values is not None else [HELM, *words]
    return subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True, check=False, timeout=60)


def rendered(values: Mapping[str, Any]) -> Manifests:
    """What would be sent to the cluster."""
    made = helm("template", "us", str(CHART), values=values)
    assert 0 == made.returncode, made.stderr
    return [found for found in yaml.safe_load_all(made.stdout) if found]


def refusal(values: Mapping[str, Any]) -> str:
    """Why these values are not taken."""
    made = helm("template", "us", str(CHART), values=values)
    assert 0 != made.returncode
    return made.stderr


def of_kind(manifests: Manifests, kind: str) -> dict[str, Any]:
    """The one manifest of this kind; a hook is none."""
    [found] = [one for one in manifests if one["kind"] == kind and "helm.sh/hook" not in one["metadata"].get("annotations", {})]
    return found


def container(manifests: Manifests) -> dict[str, Any]:
    [found] = of_kind(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


# --- Helm and Kubernetes


@pytest.mark.parametrize("values", OFFERED.values(), ids=list(OFFERED))
def test_helm_finds_no_fault(values: Mapping[str, Any]) -> None:
    """Strictly: warnings count."""
    made = helm("lint", "--strict", str(CHART), values=values)

    assert 0 == made.returncode, made.stdout


def claimed() -> list[str]:
    """The versions of Kubernetes from the chart's floor up to the newest whose schemas are known."""
    floor = re.fullmatch(r">=1\.(\d+)\.0-0", META["kubeVersion"])
    assert floor
    known = sorted({int(one.split(".")[1]) for one in kubernetes_validate.utils.all_versions()})
    assert int(floor[1]) >= known[0], "nobody knows whether it works on versions that old"
    return [f"1.{minor}" for minor in known if minor >= int(floor[1])]


def complaints(manifests: Manifests, version: str) -> Iterator[str]:
    """What that Kubernetes would not take, by its strict schemas. The operator's ServiceMonitor is not Kubernetes' own."""
    for one in manifests:
        if one["apiVersion"] != "monitoring.coreos.com/v1":
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{version} {one['kind']}: {error.message}"


@pytest.mark.parametrize("values", OFFERED.values(), ids=list(OFFERED))
def test_every_version_of_kubernetes_takes_the_manifests(values: Mapping[str, Any]) -> None:
    """By their strict schemas: a key that Kubernetes does not know is a mistake."""
    manifests = rendered(values)

    assert [] == [complaint for version in claimed() for complaint in complaints(manifests, version)]


def test_a_wrong_key_would_be_seen() -> None:
    """The schemas are strict indeed."""
    service = of_kind(rendered({}), "Service")
    service["spec"]["sessionAffinityy"] = "None"

    [said] = complaints([service], claimed()[-1])
    assert "sessionAffinityy" in said


# --- how many, and on what


def test_over_sqlite_it_is_one_on_a_volume_that_stays() -> None:
    """Two owners at once would be refused by the ledger's lock, so the old one ends before the new one starts."""
    manifests = rendered({})
    deployment = of_kind(manifests, "Deployment")["spec"]

    assert (1, {"type": "Recreate"}) == (deployment["replicas"], deployment["strategy"])
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "us-understudy"}} in deployment["template"]["spec"][
        "volumes"
    ]
    assert "keep" == of_kind(manifests, "PersistentVolumeClaim")["metadata"]["annotations"]["helm.sh/resource-policy"]
    assert "PodDisruptionBudget" not in {one["kind"] for one in manifests}


def test_over_postgresql_they_are_three_and_one_is_always_there() -> None:
    """A rolling update brings the new one first, a drain takes one at a time, and each is on a node of its own."""
    manifests = rendered(POSTGRES)
    deployment = of_kind(manifests, "Deployment")["spec"]
    pod = deployment["template"]["spec"]

    assert (3, {"maxSurge": 1, "maxUnavailable": 0}) == (deployment["replicas"], deployment["strategy"]["rollingUpdate"])
    assert 1 == of_kind(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"]
    assert {"name": "data", "emptyDir": {"sizeLimit": "4Gi"}} in pod["volumes"]
    assert "PersistentVolumeClaim" not in {one["kind"] for one in manifests}
    assert ["kubernetes.io/hostname", "topology.kubernetes.io/zone"] == [
        one["topologyKey"] for one in pod["topologySpreadConstraints"]
    ]


def test_address_and_password_of_the_database_come_from_where_they_are_named() -> None:
    """In the open without a password, or the whole address out of a Secret."""
    password = {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    address = {"name": "UNDERSTUDY_STORE", "valueFrom": {"secretKeyRef": {"name": "pg-app", "key": "uri"}}}

    assert [{"name": "UNDERSTUDY_STORE", "value": POSTGRES["store"]["url"]}, password] == container(rendered(POSTGRES))["env"]
    assert [address] == container(rendered({"store": {"urlSecret": {"name": "pg-app"}}}))["env"]


# --- what is refused


TOKEN = "xoxb-123456789012-canary"
REFUSED = {
    "a password in the address": ({"store": {"url": "postgresql://u:canary@db/n"}}, "store.url has a password in it"),
    "a password behind the address": (
        {"store": {"url": "postgresql://u@db/n?password=canary"}},
        "store.url has a password in it",
    ),
    "two addresses": ({"store": {"url": "postgresql://u@db/n", "urlSecret": {"name": "s"}}}, "not both"),
    "another database": ({"store": {"url": "mysql://u@db/n"}}, "store/url"),
    "a password for nothing": ({"store": {"passwordSecret": {"name": "s"}}}, "which is empty"),
    "several owners of SQLite": ({"replicas": 2}, "a ledger over SQLite has one owner"),
    "no replica": ({"replicas": 0}, "replicas"),
    "bots that share nothing": ({**POSTGRES, "config": "slack: none\n"}, "each replica would be a bot of its own"),
    "a token in the configuration": ({"config": f"slack: {{bot_token: {TOKEN}}}\n"}, "config has a token in it"),
    "no configuration": ({"config": ""}, "config"),
    "an ingress for any host": ({"ingress": {"enabled": True}}, "ingress.host"),
    "a misspelt key": ({"replica": 2}, "additional properties 'replica' not allowed"),
}


@pytest.mark.parametrize(("values", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_work_is_refused_by_name(values: Mapping[str, Any], sentence: str) -> None:
    """Before anything reaches the cluster, and without repeating a secret."""
    said = refusal(values)

    assert sentence in said
    assert TOKEN not in said


# --- values

ANOTHER: dict[str, tuple[Any, Mapping[str, Any]]] = {  # key -> another value, and what it needs to count
    "image.repository": ("ghcr.io/example/understudy", {}),
    "image.tag": ("0.2.0", {}),
    "image.pullPolicy": ("Always", {}),
    "image.pullSecrets": (["registry"], {}),
    "replicas": (2, POSTGRES),
    "store.url": ("postgresql://understudy@db.example.com/understudy", {}),
    "store.passwordSecret.name": ("other", POSTGRES),
    "store.passwordSecret.key": ("pw", POSTGRES),
    "store.urlSecret.name": ("other", {}),
    "store.urlSecret.key": ("dsn", {"store": {"urlSecret": {"name": "s"}}}),
    "sqlite.size": ("20Gi", {}),
    "sqlite.storageClass": ("ssd", {}),
    "sqlite.existingClaim": ("ours", {}),
    "scratch": ("8Gi", POSTGRES),
    "config": ("slack: none\n", {}),
    "secrets.env": (["one", "two"], {}),
    "secrets.files": ([{"secret": "understudy-slack", "path": "slack"}], {}),
    "extraEnv": ([{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}], {}),
    "logLevel": ("DEBUG", {}),
    "service.type": ("LoadBalancer", {}),
    "service.port": (80, {}),
    "service.annotations": ({"a": "b"}, {}),
    "ingress.enabled": (True, {"ingress": {"host": "h.example.com"}}),
    "ingress.className": ("traefik", EVERYTHING),
    "ingress.host": ("other.example.com", EVERYTHING),
    "ingress.paths": (["/hooks/heartbeat/"], EVERYTHING),
    "ingress.tlsSecret": ("other", EVERYTHING),
    "ingress.annotations": ({"a": "b"}, EVERYTHING),
    "networkPolicy.enabled": (False, {}),
    "networkPolicy.from": ([{"namespaceSelector": {}}], {}),
    "networkPolicy.egress": ([{"to": [{"podSelector": {}}]}], {}),
    "podDisruptionBudget.enabled": (False, POSTGRES),
    "podDisruptionBudget.maxUnavailable": ("50%", POSTGRES),
    "serviceMonitor.enabled": (True, {}),
    "serviceMonitor.interval": ("1m", EVERYTHING),
    "serviceMonitor.labels": ({"release": "prometheus"}, EVERYTHING),
    "serviceMonitor.tokenSecret.name": ("other", EVERYTHING),
    "serviceMonitor.tokenSecret.key": ("other", EVERYTHING),
    "serviceAccount.create": (False, {}),
    "serviceAccount.name": ("ours", {}),
    "serviceAccount.annotations": ({"a": "b"}, {}),
    "resources.requests": ({"cpu": "1", "memory": "1Gi"}, {}),
    "resources.limits": ({"memory": "1Gi"}, {}),
    "topologySpread": ([], {}),
    "nodeSelector": ({"a": "b"}, {}),
    "tolerations": ([{"key": "a", "operator": "Exists"}], {}),
    "affinity": ({"podAntiAffinity": {}}, {}),
    "priorityClassName": ("high", {}),
    "podLabels": ({"team": "sre"}, {}),
    "podAnnotations": ({"a": "b"}, {}),
}


def leaves(values: Mapping[str, Any], schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Every key that somebody may set, as in `image.tag`; the schema says which ones go deeper."""
    assert set(values) | {"global"} == set(schema["properties"]) | {"global"}, (
        f"values and schema differ at {path or 'the top'}"
    )
    for key, value in values.items():
        below = schema["properties"][key]
        if "properties" in below:
            assert below["additionalProperties"] is False, path + key
            yield from leaves(value, below, f"{path}{key}.")
        else:
            yield path + key


def with_value(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The same with another value at that key."""
    key, _, rest = path.partition(".")
    return {**values, key: with_value(values.get(key, {}), rest, value) if rest else value}


def test_schema_and_values_have_the_same_keys() -> None:
    """A key without a schema is not checked, and one without a default is not known to anybody."""
    assert set(ANOTHER) == set(leaves(VALUES, SCHEMA))


@pytest.mark.parametrize("key", ANOTHER)
def test_every_value_does_something(key: str) -> None:
    """Whoever sets it sees it in the manifests, and Kubernetes still takes them."""
    value, beside = ANOTHER[key]
    before, after = rendered(beside), rendered(with_value(beside, key, value))

    assert before != after
    assert [] == list(complaints(after, claimed()[-1]))


def test_default_configuration_is_one_that_the_bot_takes(tmp_path: Path) -> None:
    """With the variables that it names, over SQLite and over the store that the chart gives."""
    path = tmp_path / "understudy.yaml"
    path.write_text(of_kind(rendered({}), "ConfigMap")["data"]["understudy.yaml"], encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+)", path.read_text(encoding="utf-8"))) - {"UNDERSTUDY_STORE"}

    found = {name: f"canary-of-{name.lower()}" for name in asked} | {"UNDERSTUDY_NOTIFY_URL": "json://localhost"}

    alone, shared = load(path, found).config, load(path, {**found, "UNDERSTUDY_STORE": POSTGRES["store"]["url"]}).config

    assert ["anthropic", "openai"] == list(alone.providers)
    assert ("", POSTGRES["store"]["url"]) == (alone.store.get_secret_value(), shared.store.get_secret_value())


def test_configuration_arrives_as_it_was_written() -> None:
    """Comments, quotes and odd characters too, so that line numbers in what the bot says are right."""
    text = '# "größer" {{ .Values }}\nslack:   none\n\n  # end: \\n $x\n'

    assert text == of_kind(rendered({"config": text}), "ConfigMap")["data"]["understudy.yaml"]


# --- safety


@pytest.mark.parametrize("values", OFFERED.values(), ids=list(OFFERED))
def test_every_pod_is_hardened(values: Mapping[str, Any]) -> None:
    """What Kubernetes calls restricted, a root that may only be read, and no token of the cluster."""
    manifests = rendered(values)
    pods = [
        of_kind(manifests, "Deployment")["spec"]["template"]["spec"],
        *(one["spec"] for one in manifests if one["kind"] == "Pod"),
    ]

    assert 2 == len(pods)
    for pod in pods:
        whole = pod["securityContext"]
        assert (True, 10001, {"type": "RuntimeDefault"}) == (whole["runAsNonRoot"], whole["runAsUser"], whole["seccompProfile"])
        assert pod["automountServiceAccountToken"] is False
        for one in pod["containers"]:
            own = one["securityContext"]
            assert (False, True) == (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"])
            assert {"drop": ["ALL"]} == own["capabilities"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert of_kind(manifests, "ServiceAccount")["automountServiceAccountToken"] is False


def test_no_secret_is_made_or_copied() -> None:
    """Secrets are named; what holds them is yours."""
    text = json.dumps(rendered(EVERYTHING))

    assert '"kind": "Secret"' not in text
    assert [] == re.findall(r"xox[a-z]-|xapp-|sk-ant-|://[^/@\" ]*:[^/@\" ]*@", text)


def test_metadata_of_the_cloud_is_out_of_reach() -> None:
    """Name servers, and everything else but link-local addresses."""
    names, everything = of_kind(rendered({}), "NetworkPolicy")["spec"]["egress"]

    assert {53} == {port["port"] for port in names["ports"]}
    assert ["169.254.0.0/16"] == everything["to"][0]["ipBlock"]["except"]


def test_only_the_port_of_the_server_is_open() -> None:
    """To the pods of the namespace, until more are named."""
    [rule] = of_kind(rendered({}), "NetworkPolicy")["spec"]["ingress"]

    assert ([{"podSelector": {}}], [{"port": "http", "protocol": "TCP"}]) == (rule["from"], rule["ports"])


# --- the chart, the image and the project


def test_container_runs_as_the_image_does() -> None:
    """Its command, its port, its user, its folder and the place of its configuration."""
    manifests = rendered({})
    one = container(manifests)
    [command] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    [config] = re.findall(r"UNDERSTUDY_CONFIG=(\S+)", DOCKERFILE)
    mounts = {mount["mountPath"] for mount in one["volumeMounts"]}
    pod = of_kind(manifests, "Deployment")["spec"]["template"]["spec"]

    assert [*json.loads(command), "--log-level", "INFO"] == one["args"]
    assert [{"name": "http", "containerPort": int(re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)[0])}] == one["ports"]
    assert pod["securityContext"]["runAsUser"] == int(re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)[0])
    assert set(re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)) < mounts  # or the runtime lays one of its own over it
    assert str(Path(config).parent) in mounts


def test_reason_for_the_end_of_a_pod_is_shown_by_kubectl_describe() -> None:
    """Such as a wrong password: the last lines of the log are the termination message."""
    assert "FallbackToLogsOnError" == container(rendered({}))["terminationMessagePolicy"]


def test_only_a_pod_with_others_beside_it_waits_before_it_ends() -> None:
    """With SQLite nobody else takes requests, and the successor waits for the data folder."""
    assert "lifecycle" in container(rendered(POSTGRES))
    assert "lifecycle" not in container(rendered({}))


def test_chart_has_the_version_of_the_project() -> None:
    """An image is tagged with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == META["appVersion"]


def test_probes_ask_what_they_should() -> None:
    """Readers of flags are sent on while the database is away; only a process that hangs is started anew."""
    one = container(rendered(POSTGRES))
    asked = {name: one[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}

    assert {"startup": "/readyz?for=flags", "readiness": "/readyz?for=flags", "liveness": "/healthz"} == asked


def test_notes_say_how_to_go_on() -> None:
    """What Helm prints after an installation: how many over what, and what to type."""
    made = helm("install", "us", str(CHART), "--dry-run=client", values=POSTGRES)
    assert 0 == made.returncode, made.stderr

    assert "us-understudy runs 3 replica(s) over PostgreSQL." in made.stdout
    assert "create secret generic understudy --from-env-file=.env" in made.stdout
