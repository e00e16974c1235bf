resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = "abc123"
  stage_name  = "production"
  method_path = "*/*"
  settings {
    logging_level      = "ERROR"
    data_trace_enabled = false
  }
}
