provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["444455556666"]
}
resource "aws_s3_bucket" "b_data" {
  bucket = "b-data"
}

resource "aws_s3_bucket_policy" "p" {
  bucket = aws_s3_bucket.b_data.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = ["arn:aws:iam::111122223333:role/reader", "arn:aws:iam::111122223333:role/lazy"] }, Action = "s3:GetObject", Resource = "${aws_s3_bucket.b_data.arn}/*" }]
  })
}
