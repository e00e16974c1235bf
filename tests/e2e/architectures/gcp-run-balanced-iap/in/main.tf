resource "google_cloud_run_v2_service" "llm" {
  project  = "acme"
  name     = "llm"
  location = "europe-west4"
  ingress  = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  
  template {
    containers {
      image = "acme/llm:1"
    }
  }
}
resource "google_cloud_run_v2_service_iam_member" "all" {
  project  = "acme"
  name     = google_cloud_run_v2_service.llm.name
  location = "europe-west4"
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_compute_region_network_endpoint_group" "llm" {
  project               = "acme"
  name                  = "llm"
  region                = "europe-west4"
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloud_run_v2_service.llm.name
  }
}

resource "google_compute_backend_service" "llm" {
  project               = "acme"
  name                  = "llm"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  iap {
 enabled = true
 }
  backend {
    group = google_compute_region_network_endpoint_group.llm.id
  }
}
resource "google_compute_url_map" "llm" {
  project         = "acme"
  name            = "llm"
  default_service = google_compute_backend_service.llm.id
}
resource "google_compute_target_https_proxy" "llm" {
  project = "acme"
  name    = "llm"
  url_map = google_compute_url_map.llm.id
  
}
resource "google_compute_global_forwarding_rule" "llm" {
  project               = "acme"
  name                  = "llm"
  target                = google_compute_target_https_proxy.llm.id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}
