provider "google" {
  project = "acme-ml"
}

resource "google_storage_bucket" "weights" {
  name     = "acme-weights"
  location = "EU"
  public_access_prevention = "enforced"
}

resource "google_storage_bucket_iam_member" "readers" {
  bucket = google_storage_bucket.weights.name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}
