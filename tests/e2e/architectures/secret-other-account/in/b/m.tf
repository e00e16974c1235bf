provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["222233334444"]
}
resource "aws_iam_role" "far" {
  name = "far"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "far" {
  name = "p"
  role = aws_iam_role.far.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"], "Resource": "*"}]})
}
