provider "google" {
  project = "ml-prod"
}
resource "google_storage_bucket" "gd_data" {
  name = "gd-data"
  project = "ml-prod"
  location = "EU"
  uniform_bucket_level_access = true
}
resource "google_service_account" "ok" {
  account_id = "ok"
  project = "ml-prod"
}
resource "google_service_account" "bad" {
  account_id = "bad"
  project = "ml-prod"
}
resource "google_project_iam_member" "a" {
  project = "ml-prod"
  role = "roles/storage.objectViewer"
  member = "serviceAccount:ok@ml-prod.iam.gserviceaccount.com"
}
resource "google_project_iam_member" "b" {
  project = "ml-prod"
  role = "roles/storage.objectViewer"
  member = "serviceAccount:bad@ml-prod.iam.gserviceaccount.com"
}
resource "google_iam_deny_policy" "d" {
  parent = urlencode("cloudresourcemanager.googleapis.com/projects/ml-prod")
  name = "d"
  rules {
    deny_rule {
      denied_principals = ["principalSet://goog/public:all"]
      exception_principals = ["principal://iam.googleapis.com/projects/-/serviceAccounts/ok@ml-prod.iam.gserviceaccount.com"]
      denied_permissions = ["storage.googleapis.com/objects.get"]
    }
  }
}
