resource "aws_s3_bucket" "datasets" {
  bucket = "acme-datasets"
}

resource "aws_s3_bucket_policy" "datasets" {
  bucket = aws_s3_bucket.datasets.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = ["s3:GetObject"]
      Resource  = "${aws_s3_bucket.datasets.arn}/public/*"
      Condition = { Bool = { "aws:SecureTransport" = "true" } }
    }]
  })
}
