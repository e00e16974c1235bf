resource "aws_kms_key" "birch" {
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
      kms_master_key_id = aws_kms_key.birch.arn
    }
  }
}

resource "aws_s3_bucket" "birch_logs" {
  bucket = "acme-birch-logs"
  tags   = { tenant = "birch" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "birch_logs" {
  bucket = aws_s3_bucket.birch_logs.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
      kms_master_key_id = aws_kms_key.birch.arn
    }
  }
}
