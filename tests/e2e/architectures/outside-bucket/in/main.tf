provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "shared_models" {
  bucket = "shared-models"
}
resource "aws_s3_bucket" "org_data" {
  bucket = "org-data"
}
resource "aws_s3_bucket" "closed_data" {
  bucket = "closed-data"
}

data "aws_iam_policy_document" "shared" {
  statement {
    principals {
      type = "AWS"
      identifiers = ["arn:aws:iam::777788889999:root"]
    }
    actions = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.shared_models.arn}/*"]
  }
}
resource "aws_s3_bucket_policy" "shared" {
  bucket = aws_s3_bucket.shared_models.id
  policy = data.aws_iam_policy_document.shared.json
}
resource "aws_s3_bucket_policy" "org" {
  bucket = aws_s3_bucket.org_data.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Principal = "*", Action = "s3:GetObject",
      Resource = "${aws_s3_bucket.org_data.arn}/*"
      Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-abc1234567" } }
    }]
  })
}
resource "aws_sagemaker_model" "m" {
  name = "scorer"
  execution_role_arn = aws_iam_role.sm.arn
  primary_container {
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.1"
    model_data_url = "s3://${aws_s3_bucket.shared_models.bucket}/scorer/model.tar.gz"
  }
}
resource "aws_iam_role" "sm" {
  name = "sm"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "sagemaker.amazonaws.com" }, Action = "sts:AssumeRole" }] })
  inline_policy {
    name = "x"
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.closed_data.arn}/*" }] })
  }
}
