resource "google_compute_url_map" "scoring" {
  name            = "scoring"
  default_service = google_compute_backend_service.scoring.id
}

resource "google_compute_target_http_proxy" "scoring" {
  name    = "scoring"
  url_map = google_compute_url_map.scoring.id
}
