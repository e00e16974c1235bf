provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_organizations_policy" "vault" {
  name = "vault"
  type = "RESOURCE_CONTROL_POLICY"
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:GetObject*", Resource = "arn:aws:s3:::rpc-vault/*" }]
  })
}
resource "aws_organizations_policy_attachment" "vault" {
  policy_id = aws_organizations_policy.vault.id
  target_id = "111122223333"
}
resource "aws_s3_bucket" "vault" {
  bucket = "rpc-vault"
}
resource "aws_s3_bucket" "open" {
  bucket = "rpc-open"
}
resource "aws_iam_role" "gov" {
  name               = "gov"
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
resource "aws_iam_role_policy" "gov" {
  role   = aws_iam_role.gov.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:PutBucketPolicy", Resource = "*" }] })
}
resource "aws_iam_role" "boss" {
  name                = "boss"
  managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]
  assume_role_policy  = jsonencode({ Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
