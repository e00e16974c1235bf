# A bucket and a key for each tenant; nothing over plain HTTP, nothing for the public.
resource "aws_kms_key" "data" {
  for_each            = toset(["tenant-a", "tenant-b"])
  description         = "data of ${each.key}"
  enable_key_rotation = true
  tags                = { tenant = each.key }
}

resource "aws_s3_bucket" "data" {
  for_each = toset(["tenant-a", "tenant-b"])
  bucket   = "example-${each.key}-data"
  tags     = { tenant = each.key, environment = "production" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  for_each = toset(["tenant-a", "tenant-b"])
  bucket   = aws_s3_bucket.data[each.key].id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data[each.key].arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "data" {
  for_each                = toset(["tenant-a", "tenant-b"])
  bucket                  = aws_s3_bucket.data[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "data" {
  for_each = toset(["tenant-a", "tenant-b"])
  bucket   = aws_s3_bucket.data[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.data[each.key].arn, "${aws_s3_bucket.data[each.key].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
