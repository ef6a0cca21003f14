# Needs the providers' schemas, but no account: `tofu init && tofu test` in the module's directory.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name   = "projects/example-mgmt/serviceAccounts/a@example-mgmt.iam.gserviceaccount.com"
      member = "serviceAccount:a@example-mgmt.iam.gserviceaccount.com"
    }
  }
}

mock_provider "helm" {}

variables {
  project           = "example-mgmt"
  region            = "europe-west1"
  workload_projects = ["example-dev", "example-prod"]
}

run "reference" {
  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_nodes
    error_message = "Nodes must have no addresses of their own."
  }

  assert {
    condition     = google_container_cluster.this.workload_identity_config[0].workload_pool == "example-mgmt.svc.id.goog"
    error_message = "The pool of identities is the project's."
  }

  assert {
    condition = toset([for each in google_service_account_iam_member.identity : each.member]) == toset([
      "serviceAccount:example-mgmt.svc.id.goog[crossplane-system/provider-gcp]",
      "serviceAccount:example-mgmt.svc.id.goog[argocd/argocd-application-controller]",
      "serviceAccount:example-mgmt.svc.id.goog[argocd/argocd-server]",
    ])
    error_message = "Crossplane's providers and Argo CD have an identity, and nobody else."
  }

  assert {
    condition     = length(google_project_iam_member.crossplane) == 10 && length(google_project_iam_member.argocd) == 2
    error_message = "Roles are given in the workload projects only."
  }

  assert {
    condition     = alltrue([for each in google_project_iam_member.crossplane : each.project != "example-mgmt"])
    error_message = "Crossplane has no role in the management cluster's project."
  }

  assert {
    condition     = helm_release.argocd.name == "argocd" && helm_release.argocd.namespace == "argocd"
    error_message = "The service of the management cluster has these names."
  }
}

run "names_that_are_too_long" {
  command = plan
  variables {
    name = "a-management-cluster-with-a-long-name"
  }
  expect_failures = [var.name]
}

run "ranges_that_are_none" {
  command = plan
  variables {
    network = { nodes = "10.15.0.0", pods = "10.28.0.0/14", services = "10.15.16.0/20" }
  }
  expect_failures = [var.network]
}

run "more_than_most_nodes" {
  command = plan
  variables {
    nodes = { minimum = 7 }
  }
  expect_failures = [var.nodes]
}
