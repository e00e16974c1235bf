provider "google" {
  project = var.project
}
variable "project" {}
resource "google_storage_bucket" "gd_data" {
  name = "gd-data"
  project = var.project
  location = "EU"
  uniform_bucket_level_access = true
}
resource "google_service_account" "bad" {
  account_id = "bad"
  project = var.project
}
resource "google_storage_bucket_iam_member" "b" {
  bucket = google_storage_bucket.gd_data.name
  role = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.bad.email}"
}
data "google_project" "x" {
  project_id = var.project
}
resource "google_iam_deny_policy" "d" {
  parent = local.where.parent
  name = "d"
  rules {
    deny_rule {
      denied_principals = ["principalSet://goog/public:all"]
      exception_principals = ["principal://iam.googleapis.com/projects/-/serviceAccounts/ok@ml-prod.iam.gserviceaccount.com"]
      denied_permissions = ["storage.googleapis.com/objects.get"]
    }
  }
}
