provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "g_any" {
  bucket = "g-any"
}
resource "aws_s3_bucket" "g_org" {
  bucket = "g-org"
}
resource "aws_s3_bucket" "g_prefix" {
  bucket = "g-prefix"
}
resource "aws_s3_bucket" "g_repo" {
  bucket = "g-repo"
}
resource "aws_s3_bucket" "g_env" {
  bucket = "g-env"
}
resource "aws_s3_bucket" "g_eqstar" {
  bucket = "g-eqstar"
}
resource "aws_iam_role" "any" {
  name = "any"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}]})
}
resource "aws_iam_role_policy" "any" {
  name = "p"
  role = aws_iam_role.any.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::g-any/*"}]})
}
resource "aws_iam_role" "org" {
  name = "org"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}, "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}}]})
}
resource "aws_iam_role_policy" "org" {
  name = "p"
  role = aws_iam_role.org.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::g-org/*"}]})
}
resource "aws_iam_role" "prefix" {
  name = "prefix"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}, "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme*"}}}]})
}
resource "aws_iam_role_policy" "prefix" {
  name = "p"
  role = aws_iam_role.prefix.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::g-prefix/*"}]})
}
resource "aws_iam_role" "repo" {
  name = "repo"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}}]})
}
resource "aws_iam_role_policy" "repo" {
  name = "p"
  role = aws_iam_role.repo.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::g-repo/*"}]})
}
resource "aws_iam_role" "env" {
  name = "env"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:environment:prod"}}}]})
}
resource "aws_iam_role_policy" "env" {
  name = "p"
  role = aws_iam_role.env.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::g-env/*"}]})
}
resource "aws_iam_role" "eqstar" {
  name = "eqstar"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}}]})
}
resource "aws_iam_role_policy" "eqstar" {
  name = "p"
  role = aws_iam_role.eqstar.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::g-eqstar/*"}]})
}
