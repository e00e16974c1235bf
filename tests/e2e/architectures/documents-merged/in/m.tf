provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "ov_data" {
  bucket = "ov-data"
}
resource "aws_iam_role" "ov" {
  name = "ov"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}
resource "aws_iam_role" "src" {
  name = "src"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}

data "aws_iam_policy_document" "base" {
  statement {
    sid = "read"
    actions = ["s3:GetObject"]
    resources = ["arn:aws:s3:::ov-data/*"]
  }
  statement {
    sid = "write"
    actions = ["s3:PutObject"]
    resources = ["arn:aws:s3:::ov-data/*"]
  }
}
data "aws_iam_policy_document" "over" {
  statement {
    sid = "write"
    effect = "Deny"
    actions = ["s3:PutObject"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "merged" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  override_policy_documents = [data.aws_iam_policy_document.over.json]
  statement {
    sid = "read"
    actions = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::ov-data"]
  }
}
data "aws_iam_policy_document" "two" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    actions = ["s3:GetObjectVersion"]
    resources = ["arn:aws:s3:::ov-data/*"]
    condition {
      test = "StringEquals"
      variable = "aws:PrincipalTag/a"
      values = ["1"]
    }
    condition {
      test = "StringEquals"
      variable = "aws:PrincipalTag/b"
      values = ["2"]
    }
  }
}
resource "aws_iam_role_policy" "ov" {
  role = aws_iam_role.ov.id
  policy = data.aws_iam_policy_document.merged.json
}
resource "aws_iam_role_policy" "src" {
  role = aws_iam_role.src.id
  policy = data.aws_iam_policy_document.two.json
}
