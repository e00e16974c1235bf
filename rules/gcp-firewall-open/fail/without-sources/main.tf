resource "google_compute_firewall" "jupyter" {
  name    = "jupyter"
  network = "ml"
  allow {
    protocol = "tcp"
    ports    = ["8888"]
  }
}
