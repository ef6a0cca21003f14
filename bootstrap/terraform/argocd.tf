# Installs Argo CD once. From then on it is a service of the management cluster, so whatever differs
# from what was installed is right, and Terraform leaves it alone.
resource "helm_release" "argocd" {
  name              = "argocd"
  namespace         = "argocd"
  create_namespace  = true
  chart             = "${path.module}/../chart"
  dependency_update = true
  timeout           = 600

  lifecycle {
    ignore_changes = all
  }

  depends_on = [google_container_node_pool.this, google_service_account_iam_member.identity]
}
