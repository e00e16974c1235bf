resource "google_compute_instance_template" "pool" {
  project      = "acme"
  name         = "pool"
  machine_type = "n1-standard-4"
  network_interface {
    network = "default"
  }
  metadata_startup_script = "sudo jupyter lab --ip=0.0.0.0 --port=8888 --ServerApp.token=''"
  service_account {
    email  = google_service_account.pool.email
    scopes = ["cloud-platform"]
  }
}
resource "google_compute_instance_group_manager" "pool" {
  project            = "acme"
  name               = "pool"
  zone               = "europe-west4-a"
  base_instance_name = "pool"
  version {
    instance_template = google_compute_instance_template.pool.self_link_unique
  }
  named_port {
    name = "http"
    port = 8888
  }
}

resource "google_compute_backend_service" "llm" {
  project               = "acme"
  name                  = "llm"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  
  backend {
    group = google_compute_instance_group_manager.pool.instance_group
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

resource "google_compute_firewall" "in" {
  project       = "acme"
  name          = "in"
  network       = "default"
  source_ranges = ["130.211.0.0/22", "35.191.0.0/16"]
  allow {
    protocol = "tcp"
    ports    = ["8888"]
  }
  
}

resource "google_service_account" "pool" {
  project    = "acme"
  account_id = "pool"
}
resource "google_storage_bucket" "models" {
  project  = "acme"
  name     = "acme-models"
  location = "EU"
}
resource "google_storage_bucket_iam_member" "pool" {
  bucket = google_storage_bucket.models.name
  role   = "roles/storage.objectAdmin"
  member = google_service_account.pool.member
}
