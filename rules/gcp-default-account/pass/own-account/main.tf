provider "google" {
  project = "acme-ml"
}

resource "google_service_account" "trainer" {
  account_id = "trainer"
}

resource "google_cloud_run_v2_service" "api" {
  name     = "api"
  location = "europe-west4"
  template {
    service_account = google_service_account.trainer.email
    containers {
      image = "europe-west4-docker.pkg.dev/acme-ml/serve/api@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    }
  }
}

