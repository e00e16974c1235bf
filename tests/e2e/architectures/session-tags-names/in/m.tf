provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_secretsmanager_secret" "team-a" {
  name = "team-a"
}
resource "aws_secretsmanager_secret" "team-b" {
  name = "team-b"
}
resource "aws_iam_user" "dev" {
  name = "dev"
}
resource "aws_iam_role" "rv" {
  name = "rv"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/dev"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
  tags = {"team": "a"}
}
resource "aws_iam_role_policy" "rv" {
  name = "p"
  role = aws_iam_role.rv.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:us-east-1:111122223333:secret:team-$${aws:PrincipalTag/team}-??????"}]})
}
resource "aws_iam_role" "rp" {
  name = "rp"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
  tags = {"team": "a"}
}
resource "aws_iam_role_policy" "rp" {
  name = "p"
  role = aws_iam_role.rp.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:us-east-1:111122223333:secret:team-$${aws:PrincipalTag/team}-??????"}]})
}
