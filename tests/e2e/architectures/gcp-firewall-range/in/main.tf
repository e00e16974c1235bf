
resource "google_compute_network" "v" {
  name = "ml"
  project = "acme-ml"
}
resource "google_compute_instance" "gpu" {
  name = "gpu"
  project = "acme-ml"
  zone = "europe-west4-a"
  machine_type = "g2-standard-4"
  tags = ["gpu"]
  boot_disk {
    initialize_params {
      image = "debian-cloud/debian-12"
    }
  }
  network_interface {
    network = google_compute_network.v.id
    access_config {}
  }
  metadata_startup_script = <<-EOT
#!/bin/bash
jupyter lab --ip=0.0.0.0 --port=8888 --ServerApp.token='' --allow-root
EOT
  service_account {
    email = "gpu@acme-ml.iam.gserviceaccount.com"
    scopes = ["cloud-platform"]
  }
  
}
resource "google_storage_bucket" "weights" {
  name = "acme-weights"
  project = "acme-ml"
  location = "EU"
  public_access_prevention = "enforced"
}
resource "google_storage_bucket_iam_member" "m" {
  bucket = google_storage_bucket.weights.name
  role = "roles/storage.objectAdmin"
  member = "serviceAccount:gpu@acme-ml.iam.gserviceaccount.com"
}

resource "google_compute_firewall" "j" {
  name = "j"
  project = "acme-ml"
  network = google_compute_network.v.id
  priority = 1000
  source_ranges = ["0.0.0.0/0"]
  
  
  allow {
    protocol = "tcp"
    ports = ["8000-9000"]
  }
}

