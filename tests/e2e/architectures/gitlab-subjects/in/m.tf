provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "gl_a" {
  bucket = "gl-a"
}
resource "aws_s3_bucket" "gl_b" {
  bucket = "gl-b"
}
resource "aws_s3_bucket" "gl_c" {
  bucket = "gl-c"
}
resource "aws_iam_role" "a" {
  name = "a"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"gitlab.com:sub": "project_path:acme/app:ref_type:branch:ref:main"}}}]})
}
resource "aws_iam_role_policy" "a" {
  name = "p"
  role = aws_iam_role.a.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::gl-a/*"}]})
}
resource "aws_iam_role" "b" {
  name = "b"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"gitlab.com:sub": "project_path:*"}}}]})
}
resource "aws_iam_role_policy" "b" {
  name = "p"
  role = aws_iam_role.b.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::gl-b/*"}]})
}
resource "aws_iam_role" "c" {
  name = "c"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"gitlab.com:sub": "project_path:acme/*"}}}]})
}
resource "aws_iam_role_policy" "c" {
  name = "p"
  role = aws_iam_role.c.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::gl-c/*"}]})
}
