output "endpoint" {
  description = "Address of the control plane, for the helm provider and for kubectl."
  value       = "https://${google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint}"
}

output "credentials_command" {
  description = "The command that gives kubectl access to the management cluster."
  value       = "gcloud container clusters get-credentials ${var.name} --location ${var.region} --project ${var.project} --dns-endpoint"
}

output "argocd_service_account" {
  description = "What the service accounts of Argo CD are annotated with, in services/argocd/chart/values.yaml."
  value       = google_service_account.argocd.email
}

output "crossplane_service_account" {
  description = "What the service account of Crossplane's providers is annotated with, in services/gke-platform."
  value       = google_service_account.crossplane.email
}
