provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

resource "aws_kms_key" "k" {
  description = "train"
  enable_key_rotation = true
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Sid = "root", Effect = "Allow", Principal = { AWS = "arn:aws:iam::111122223333:root" }, Action = ["kms:Create*","kms:Put*","kms:Describe*","kms:ScheduleKeyDeletion"], Resource = "*" },
    { Sid = "use", Effect = "Allow", Principal = { AWS = aws_iam_role.reader.arn }, Action = "kms:Decrypt", Resource = "*", Condition = { StringEquals = { "kms:ViaService" = "s3.us-east-1.amazonaws.com" } } },
  ] })
}
resource "aws_s3_bucket" "d" { bucket = "patient-data" }
resource "aws_s3_bucket_server_side_encryption_configuration" "d" {
  bucket = aws_s3_bucket.d.id
  rule {
    apply_server_side_encryption_by_default {
      kms_master_key_id = aws_kms_key.k.arn
      sse_algorithm = "aws:kms"
    }
  }
}
locals { names = toset(["reader", "nokey"]) }
data "aws_iam_policy_document" "ec2" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "reader" {
  name = "reader"
  assume_role_policy = data.aws_iam_policy_document.ec2.json
}
resource "aws_iam_role" "nokey" {
  name = "nokey"
  assume_role_policy = data.aws_iam_policy_document.ec2.json
}
resource "aws_iam_policy" "read" {
  name = "read"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject","kms:Decrypt"], Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "a" {
  for_each   = local.names
  role       = each.key
  policy_arn = aws_iam_policy.read.arn
  depends_on = [aws_iam_role.reader, aws_iam_role.nokey]
}
