# Both tenants' data under one key, in buckets that may be read over plain HTTP.
resource "aws_kms_key" "shared" {
  description = "data of all tenants"
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
      kms_master_key_id = aws_kms_key.shared.arn
    }
  }
}

resource "aws_ecr_repository" "server" {
  name = "server"
}
