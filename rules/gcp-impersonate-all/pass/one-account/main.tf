provider "google" {
  project = "acme-ml"
}

resource "google_service_account" "trainer" {
  account_id = "trainer"
}

resource "google_service_account_iam_member" "self" {
  service_account_id = google_service_account.trainer.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "user:ada@acme.example"
}
