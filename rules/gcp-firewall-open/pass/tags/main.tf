resource "google_compute_firewall" "inside" {
  name    = "inside"
  network = "ml"
  source_tags = ["gateway"]
  allow {
    protocol = "tcp"
    ports    = ["8000"]
  }
}
