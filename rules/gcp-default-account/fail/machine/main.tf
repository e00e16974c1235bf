provider "google" {
  project = "acme-ml"
}

resource "google_compute_instance" "gpu" {
  name         = "gpu"
  zone         = "europe-west4-a"
  machine_type = "a2-highgpu-1g"
  service_account {
    scopes = ["cloud-platform"]
  }
}
