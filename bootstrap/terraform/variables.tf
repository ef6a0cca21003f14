variable "project" {
  description = "Id of the Google Cloud project of the management cluster. Best one of its own."
  type        = string
}

variable "region" {
  description = "Region of the management cluster."
  type        = string
}

variable "name" {
  description = "Name of the management cluster, its network and its parts at Google."
  type        = string
  default     = "management"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "Use 2 to 24 of a-z, 0-9 and \"-\", a letter first: names of service accounts are made of it."
  }
}

variable "workload_projects" {
  description = "Ids of the projects that Crossplane makes workload clusters in, and that Argo CD deploys to."
  type        = set(string)
}

variable "network" {
  description = "Address ranges of the management cluster in CIDR notation."
  type = object({
    nodes    = string
    pods     = string
    services = string
  })
  default = {
    nodes    = "10.15.0.0/20"
    pods     = "10.28.0.0/14"
    services = "10.15.16.0/20"
  }

  validation {
    condition     = alltrue([for range in values(var.network) : can(cidrnetmask(range))])
    error_message = "nodes, pods and services are IPv4 ranges such as 10.15.0.0/20."
  }
}

variable "release_channel" {
  description = "How early the cluster gets a new version of Kubernetes: RAPID, REGULAR, STABLE or EXTENDED."
  type        = string
  default     = "STABLE"

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE", "EXTENDED"], var.release_channel)
    error_message = "Use RAPID, REGULAR, STABLE or EXTENDED."
  }
}

variable "nodes" {
  description = "The one node pool: its machine type, and its least and most nodes in all zones together."
  type = object({
    machine_type = optional(string, "e2-standard-4")
    minimum      = optional(number, 3)
    maximum      = optional(number, 6)
  })
  default = {}

  validation {
    condition     = var.nodes.minimum >= 1 && var.nodes.minimum <= var.nodes.maximum
    error_message = "minimum is at least 1 and at most maximum."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the cluster."
  type        = bool
  default     = true
}
