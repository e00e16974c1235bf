resource "aws_s3_bucket" "kserve_models" {
  bucket = "kserve-models"
}
