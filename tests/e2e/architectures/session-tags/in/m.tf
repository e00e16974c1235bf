provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_secretsmanager_secret" "sa" {
  name = "sa"
  tags = {"team": "a"}
}
resource "aws_secretsmanager_secret" "sb" {
  name = "sb"
  tags = {"team": "b"}
}
resource "aws_secretsmanager_secret" "sn" {
  name = "sn"
}
resource "aws_iam_role" "ra" {
  name = "ra"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
  tags = {"team": "a"}
}
resource "aws_iam_role_policy" "ra" {
  name = "p"
  role = aws_iam_role.ra.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "$${aws:PrincipalTag/team}"}}}]})
}
resource "aws_iam_role" "rn" {
  name = "rn"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "rn" {
  name = "p"
  role = aws_iam_role.rn.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "$${aws:PrincipalTag/team}"}}}]})
}
resource "aws_iam_role" "rt" {
  name = "rt"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/dev"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
  tags = {"team": "a"}
}
resource "aws_iam_role_policy" "rt" {
  name = "p"
  role = aws_iam_role.rt.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "$${aws:PrincipalTag/team}"}}}]})
}
resource "aws_iam_user" "dev" {
  name = "dev"
}
resource "aws_iam_user_policy" "dev" {
  name = "p"
  user = aws_iam_user.dev.name
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "arn:aws:iam::111122223333:role/rt"}]})
}
