resource "aws_s3_bucket" "datasets" {
  bucket = "acme-datasets"
}

resource "aws_s3_bucket_acl" "datasets" {
  bucket = aws_s3_bucket.datasets.id
  acl    = "public-read"
}
