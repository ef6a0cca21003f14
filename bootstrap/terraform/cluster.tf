locals {
  apis = [
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
  ]
  # Google asks for the APIs in the project whose resources are made, so in all of them.
  project_apis = setproduct(setunion([var.project], var.workload_projects), local.apis)
}

resource "google_project_service" "this" {
  for_each = { for pair in local.project_apis : join("/", pair) => pair }

  project            = each.value[0]
  service            = each.value[1]
  disable_on_destroy = false
}

resource "google_container_cluster" "this" {
  project             = var.project
  location            = var.region
  name                = var.name
  network             = google_compute_network.this.id
  subnetwork          = google_compute_subnetwork.this.id
  networking_mode     = "VPC_NATIVE"
  datapath_provider   = "ADVANCED_DATAPATH"
  deletion_protection = var.deletion_protection

  # Google makes a first pool with every cluster. Ours is a resource of its own.
  initial_node_count       = 1
  remove_default_node_pool = true

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes = true
  }

  # The control plane has a name instead of an address, and IAM says who gets through.
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
    ip_endpoints_config {
      enabled = false
    }
  }

  release_channel {
    channel = var.release_channel
  }

  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }
}

resource "google_container_node_pool" "this" {
  project  = var.project
  location = var.region
  name     = "default"
  cluster  = google_container_cluster.this.name

  autoscaling {
    total_min_node_count = var.nodes.minimum
    total_max_node_count = var.nodes.maximum
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  node_config {
    machine_type    = var.nodes.machine_type
    service_account = google_service_account.nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
  }

  # Without these nodes cannot report, and without the router no image comes.
  depends_on = [google_project_iam_member.nodes, google_compute_router_nat.this]
}
