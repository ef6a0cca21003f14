# The management cluster of the reference fleet: clusters/management/cluster.yaml.

terraform {
  required_version = ">= 1.6"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0, < 8.0"
    }
    helm = {
      source  = "hashicorp/helm"
      version = ">= 3.0, < 4.0"
    }
  }
}

provider "google" {}

data "google_client_config" "current" {}

# Whoever runs this signs in at the new cluster, too. Nothing is written to a kubeconfig.
provider "helm" {
  kubernetes = {
    host  = module.management.endpoint
    token = data.google_client_config.current.access_token
  }
}

module "management" {
  source = "../"

  project           = "example-mgmt"
  region            = "europe-west1"
  workload_projects = ["example-dev", "example-prod"]
}

output "management" {
  value = module.management
}
