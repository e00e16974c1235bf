resource "aws_kms_key" "data" {
  enable_key_rotation = true
}

resource "aws_s3_bucket" "birch" {
  bucket = "acme-birch-data"
  tags   = { tenant = "birch" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "birch" {
  bucket = aws_s3_bucket.birch.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

resource "aws_dynamodb_table" "cedar" {
  name         = "cedar-sessions"
  hash_key     = "id"
  billing_mode = "PAY_PER_REQUEST"
  tags         = { tenant = "cedar" }
  attribute {
    name = "id"
    type = "S"
  }
  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.data.arn
  }
}
