resource "google_vertex_ai_endpoint" "fraud" {
  name         = "fraud"
  display_name = "fraud"
  location     = "europe-west1"
  predict_request_response_logging_config {
    enabled       = true
    sampling_rate = 1.0
    bigquery_destination {
      output_uri = "bq://acme.logs.fraud"
    }
  }
}

resource "aws_bedrock_model_invocation_logging_configuration" "all" {
  logging_config {
    text_data_delivery_enabled = true
    s3_config {
      bucket_name = "acme-prompts"
    }
  }
}
