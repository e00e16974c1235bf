resource "google_compute_firewall" "ray" {
  name    = "ray"
  network = "ml"
  source_ranges = ["0.0.0.0/0"]
  allow {
    protocol = "tcp"
    ports    = ["8265"]
  }
}
