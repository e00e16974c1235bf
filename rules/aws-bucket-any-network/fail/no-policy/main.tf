resource "aws_vpc" "ml" {
  cidr_block = "10.20.0.0/16"
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id       = aws_vpc.ml.id
  service_name = "com.amazonaws.eu-central-1.s3"
}

resource "aws_s3_bucket" "weights" {
  bucket = "acme-weights"
}
