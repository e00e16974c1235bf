resource "google_compute_firewall" "iap" {
  name    = "iap"
  network = "ml"
  source_ranges = ["35.235.240.0/20"]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
