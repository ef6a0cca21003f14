"""bootstrap/terraform by OpenTofu, as far as it goes without the providers, and beside the services.

The providers are in no registry that these tests reach. With them, `tofu init && tofu validate && tofu test`
in the module's directory checks the rest.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml
from build import TOFU, directory
from checkout import CHECKOUT

MODULE = Path(CHECKOUT, "bootstrap", "terraform")
IDENTITY = re.compile(r'^ *"([\w-]+/[\w-]+)" *= google_service_account\.(\w+)\.name$', re.MULTILINE)
ANNOTATION = "iam.gke.io/gcp-service-account"


def formatted(path: Path) -> tuple[int, str]:
    """What `tofu fmt` says of every file below `path`; it reads them all and writes none."""
    done = subprocess.run(
        [directory(TOFU) / "tofu", "fmt", "-check", "-recursive", "-no-color", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(path)},
        check=False,
    )
    return done.returncode, done.stdout


def test_every_file_can_be_read_and_is_formatted() -> None:
    assert formatted(MODULE) == (0, "")


def test_a_file_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    (tmp_path / "wrong.tf").write_text('variable "a" {\n')
    code, said = formatted(tmp_path)
    assert code != 0 and "wrong.tf" in said


def test_after_the_installation_git_decides() -> None:
    """A second `apply` must not put back what Argo CD has changed, nor may a value come from here."""
    (release,) = re.findall(
        r'^resource "helm_release" "\w+" \{\n(.*?)^\}', (MODULE / "argocd.tf").read_text(), re.MULTILINE | re.DOTALL
    )
    assert re.search(r"^  lifecycle \{\n    ignore_changes = all\n  \}$", release, re.MULTILINE)
    fields = set(re.findall(r"^  (\w+) +=", release, re.MULTILINE))
    assert fields == {"name", "namespace", "create_namespace", "chart", "dependency_update", "timeout", "depends_on"}
    for resource in (path.read_text() for path in MODULE.glob("*.tf")):
        assert "helm_release.argocd" not in resource


def identities() -> dict[str, str]:
    """`namespace/name` of a Kubernetes service account -> which of the module's Google accounts it may be."""
    return dict(IDENTITY.findall((MODULE / "identity.tf").read_text()))


def test_the_services_have_the_identities_that_the_module_gives() -> None:
    packages = yaml.safe_load_all(Path(CHECKOUT, "services/gke-platform/packages.yaml").read_text())
    (runtime,) = (each for each in packages if each["kind"] == "DeploymentRuntimeConfig")
    provider = runtime["spec"]["serviceAccountTemplate"]["metadata"]["name"]
    assert identities() == {
        f"crossplane-system/{provider}": "crossplane",
        "argocd/argocd-application-controller": "argocd",
        "argocd/argocd-server": "argocd",
    }


def test_the_services_name_the_accounts_that_the_module_makes() -> None:
    example = (MODULE / "example" / "main.tf").read_text()
    project = re.search(r'^ +project += "(.*)"$', example, re.MULTILINE)
    assert project
    accounts = re.findall(r'account_id += "(\w+)"', (MODULE / "identity.tf").read_text())
    assert set(accounts) == {"argocd", "crossplane"}
    values = yaml.safe_load(Path(CHECKOUT, "services/argocd/chart/values.yaml").read_text())["argo-cd"]
    for part in ("controller", "server"):
        account = values[part]["serviceAccount"]["annotations"][ANNOTATION]
        assert account == f"argocd@{project[1]}.iam.gserviceaccount.com"
    manager = yaml.safe_load(Path(CHECKOUT, "clusters/management/cluster.yaml").read_text())
    assert manager["vars"]["gcpProject"] == project[1]


def test_crossplane_may_work_in_the_projects_of_all_clusters_that_it_makes() -> None:
    example = (MODULE / "example" / "main.tf").read_text()
    listed = re.search(r"workload_projects = \[(.*)\]", example)
    assert listed
    made = [
        path.parent.name
        for path in Path(CHECKOUT, "clusters").glob("*/cluster.yaml")
        if "\nprovision:" in path.read_text()
    ]
    wanted = {f"example-{name.removeprefix('gke.')}" for name in made}
    assert made and {each.strip(' "') for each in listed[1].split(",")} == wanted
