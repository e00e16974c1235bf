provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "key_data" {
  bucket = "key-data"
}
resource "aws_iam_user" "svc-user" {
  name = "svc-user"
}
resource "aws_iam_user_policy" "svc-user" {
  name = "p"
  user = aws_iam_user.svc-user.name
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::key-data/*"}]})
}
