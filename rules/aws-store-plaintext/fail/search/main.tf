resource "aws_opensearch_domain" "vectors" {
  domain_name = "vectors"
  domain_endpoint_options {
    enforce_https = false
  }
}
