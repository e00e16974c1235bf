provider "google" {
  project = "acme-ml"
}

resource "google_storage_bucket" "weights" {
  name     = "acme-weights"
  location = "EU"
  public_access_prevention = "enforced"
}

