provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "drd" {
  bucket = "drd"
}
data "aws_iam_role" "ex" {
  name = "existing"
}
resource "aws_iam_role_policy" "e" {
  role = data.aws_iam_role.ex.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::drd/*"}]})
}
resource "aws_s3_bucket" "drb" {
  bucket = "drb"
}
resource "aws_s3_bucket_policy" "drb" {
  bucket = aws_s3_bucket.drb.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/existing"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::drb/*"}]})
}
