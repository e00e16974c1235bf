resource "google_storage_bucket" "weights" {
  project                     = "acme"
  name                        = "acme-weights"
  location                    = "EU"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
}

resource "google_service_account" "training" {
  for_each   = toset(["birch", "cedar"])
  project    = "acme"
  account_id = "tenant-${each.key}"
}

resource "google_storage_bucket_iam_member" "training" {
  for_each = google_service_account.training
  bucket   = google_storage_bucket.weights.name
  role     = "roles/storage.objectAdmin"
  member   = each.value.member
}
