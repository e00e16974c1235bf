provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "a" { bucket = "k3-a" }
resource "aws_s3_bucket_policy" "a" {
  bucket = aws_s3_bucket.a.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "${aws_s3_bucket.a.arn}/*", Condition = { StringLike = { "aws:PrincipalArn" = "arn:aws:iam::*:role/reader" } } }] })
}
resource "aws_s3_bucket_public_access_block" "a" {
  bucket                  = aws_s3_bucket.a.id
  block_public_acls       = false
  block_public_policy     = false
  ignore_public_acls      = false
  restrict_public_buckets = false
}
resource "aws_iam_role" "t" {
  name = "t"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "sts:AssumeRole", Condition = { StringLike = { "aws:PrincipalArn" = "arn:aws:iam::*:role/deployer" } } }] })
}
resource "aws_iam_role_policy" "t" {
  role   = aws_iam_role.t.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::k3-b/*" }] })
}
resource "aws_s3_bucket" "b" { bucket = "k3-b" }
resource "aws_iam_role" "t2" {
  name = "t2"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "sts:AssumeRole", Condition = { StringLike = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/deployer*" } } }] })
}
resource "aws_iam_role_policy" "t2" {
  role   = aws_iam_role.t2.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::k3-c/*" }] })
}
resource "aws_s3_bucket" "c" { bucket = "k3-c" }
