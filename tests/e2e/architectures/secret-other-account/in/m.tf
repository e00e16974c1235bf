provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_secretsmanager_secret" "s1" {
  name = "s1"
}
resource "aws_secretsmanager_secret_policy" "s1" {
  secret_arn = aws_secretsmanager_secret.s1.arn
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:role/far"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]})
}
resource "aws_kms_key" "k" {
  description = "k"
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}, {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:role/far"}, "Action": "kms:Decrypt", "Resource": "*"}]})
}
resource "aws_secretsmanager_secret" "s2" {
  name = "s2"
  kms_key_id = aws_kms_key.k.arn
}
resource "aws_secretsmanager_secret_policy" "s2" {
  secret_arn = aws_secretsmanager_secret.s2.arn
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:role/far"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]})
}
