# Three Google service accounts, none with a key: of the nodes, of Crossplane and of Argo CD.

locals {
  workload_pool = "${var.project}.svc.id.goog"

  node_roles = [
    "roles/artifactregistry.reader",
    "roles/container.defaultNodeServiceAccount",
  ]
  # What services/gke-platform/composition.yaml makes: networks, clusters, accounts and their roles.
  crossplane_roles = [
    "roles/compute.networkAdmin",
    "roles/container.admin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountUser",
    "roles/resourcemanager.projectIamAdmin",
  ]
  crossplane_grants = setproduct(var.workload_projects, local.crossplane_roles)

  # Which Kubernetes service accounts of the management cluster may be which Google service account.
  # services/gke-platform names the first; the others are Argo CD's that speak to clusters.
  identities = {
    "crossplane-system/provider-gcp"       = google_service_account.crossplane.name
    "argocd/argocd-application-controller" = google_service_account.argocd.name
    "argocd/argocd-server"                 = google_service_account.argocd.name
  }
}

resource "google_service_account" "nodes" {
  project      = var.project
  account_id   = "${var.name}-nodes"
  display_name = "Nodes of ${var.name}"
}

resource "google_project_iam_member" "nodes" {
  for_each = toset(local.node_roles)

  project = var.project
  role    = each.value
  member  = google_service_account.nodes.member
}

resource "google_service_account" "crossplane" {
  project      = var.project
  account_id   = "crossplane"
  display_name = "Crossplane on ${var.name}"
}

resource "google_project_iam_member" "crossplane" {
  for_each = { for pair in local.crossplane_grants : join("/", pair) => pair }

  project = each.value[0]
  role    = each.value[1]
  member  = google_service_account.crossplane.member
}

resource "google_service_account" "argocd" {
  project      = var.project
  account_id   = "argocd"
  display_name = "Argo CD on ${var.name}"
}

# It deploys everything, roles and their bindings among it, so it is an administrator of the clusters.
resource "google_project_iam_member" "argocd" {
  for_each = var.workload_projects

  project = each.value
  role    = "roles/container.admin"
  member  = google_service_account.argocd.member
}

resource "google_service_account_iam_member" "identity" {
  for_each = local.identities

  service_account_id = each.value
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${local.workload_pool}[${each.key}]"

  # The pool of identities comes with the project's first cluster.
  depends_on = [google_container_cluster.this]
}
