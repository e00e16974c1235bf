
resource "google_cloud_run_v2_service" "llm" {
  name     = "llm"
  project  = "acme-ml"
  location = "europe-west4"
  ingress  = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  template {
    service_account = "llm@acme-ml.iam.gserviceaccount.com"
    containers {
      image = "vllm/vllm-openai:v0.9.1"
      args  = ["--model", "m", "--port", "8080"]
    }
  }
}
resource "google_cloud_run_v2_service_iam_member" "i" {
  name     = google_cloud_run_v2_service.llm.name
  project  = "acme-ml"
  location = "europe-west4"
  role     = "roles/run.invoker"
  member   = "allUsers"
}
