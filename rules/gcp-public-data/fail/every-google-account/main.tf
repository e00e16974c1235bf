provider "google" {
  project = "acme-ml"
}

resource "google_storage_bucket" "weights" {
  name     = "acme-weights"
  location = "EU"
}

resource "google_storage_bucket_iam_member" "readers" {
  bucket = google_storage_bucket.weights.name
  role   = "roles/storage.objectAdmin"
  member = "allAuthenticatedUsers"
}
