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

resource "aws_s3_bucket" "cedar" {
  bucket = "acme-cedar-data"
  tags   = { tenant = "cedar" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "cedar" {
  bucket = aws_s3_bucket.cedar.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}
