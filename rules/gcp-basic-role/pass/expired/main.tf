provider "google" {
  project = "acme-ml"
}

resource "google_service_account" "trainer" {
  account_id = "trainer"
}

resource "google_project_iam_member" "trainer" {
  project = "acme-ml"
  role    = "roles/editor"
  member  = google_service_account.trainer.member
  condition {
    title      = "during the move"
    expression = "request.time < timestamp(\"2024-01-01T00:00:00Z\")"
  }
}
