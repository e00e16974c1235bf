resource "google_compute_instance" "gpu" {
  project      = "acme"
  name         = "gpu"
  zone         = "europe-west4-a"
  machine_type = "n1-standard-4"
  network_interface {
    network = google_compute_network.vpc.id
    access_config {}
  }
  metadata_startup_script = "sudo jupyter lab --ip=0.0.0.0 --NotebookApp.token=''"
}
resource "google_compute_network" "vpc" {
  project = "acme"
  name    = "vpc"
  network_firewall_policy_enforcement_order = "BEFORE_CLASSIC_FIREWALL"
}

resource "google_compute_network_firewall_policy" "p" {
  name = "p"
}
resource "google_compute_network_firewall_policy_association" "p" {
  name              = "p"
  firewall_policy   = google_compute_network_firewall_policy.p.id
  attachment_target = google_compute_network.vpc.id
}

resource "google_compute_network_firewall_policy_rule" "r1" {
  firewall_policy = google_compute_network_firewall_policy.p.name
  action          = "goto_next"
  direction       = "INGRESS"
  priority        = 1
  match {
    src_ip_ranges = ["0.0.0.0/0"]
    layer4_configs {
      ip_protocol = "tcp"
      ports       = ["8888"]
    }
  }
}
resource "google_compute_network_firewall_policy_rule" "r2" {
  firewall_policy = google_compute_network_firewall_policy.p.name
  action          = "deny"
  direction       = "INGRESS"
  priority        = 2
  match {
    src_ip_ranges = ["0.0.0.0/0"]
    layer4_configs {
      ip_protocol = "tcp"
      ports       = ["8888"]
    }
  }
}

resource "google_compute_firewall" "in" {
  project       = "acme"
  name          = "in"
  network       = google_compute_network.vpc.id
  source_ranges = ["0.0.0.0/0"]
  allow {
    protocol = "tcp"
    ports    = ["8888"]
  }
}
