resource "google_storage_bucket" "weights" {
  project                     = "acme"
  name                        = "tenant-cedar-weights"
  location                    = "EU"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
}

resource "google_service_account" "birch" {
  project    = "acme"
  account_id = "tenant-birch"
}

resource "google_storage_bucket_iam_member" "birch" {
  bucket = google_storage_bucket.weights.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.birch.member
}
