provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
locals {
  ec2 = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
  devs = {
    newrole    = [{ Effect = "Allow", Action = ["iam:CreateRole", "iam:AttachRolePolicy"], Resource = "arn:aws:iam::111122223333:role/app-*" }]
    newroleput = [{ Effect = "Allow", Action = ["iam:CreateRole", "iam:PutRolePolicy"], Resource = "arn:aws:iam::111122223333:role/app-*" }]
    newuser    = [{ Effect = "Allow", Action = ["iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"], Resource = "arn:aws:iam::111122223333:user/app-*" }]
    bounded    = [{ Effect = "Allow", Action = ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"], Resource = "arn:aws:iam::111122223333:role/app-*", Condition = { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.b.arn } } }]
    onlyro     = [{ Effect = "Allow", Action = ["iam:CreateRole"], Resource = "*" }, { Effect = "Allow", Action = "iam:AttachRolePolicy", Resource = "*", Condition = { ArnEquals = { "iam:PolicyARN" = "arn:aws:iam::aws:policy/ReadOnlyAccess" } } }]
    delbound   = [{ Effect = "Allow", Action = ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePolicy"], Resource = "arn:aws:iam::111122223333:role/delbound" }]
    stuck      = [{ Effect = "Allow", Action = ["iam:PutRolePolicy"], Resource = "arn:aws:iam::111122223333:role/stuck" }]
  }
}
resource "aws_iam_policy" "b" {
  name   = "b"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "iam:*"], Resource = "*" }] })
}
resource "aws_iam_policy" "narrow" {
  name   = "narrow"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "iam:PutRolePolicy"], Resource = "*" }] })
}
resource "aws_iam_role" "dev" {
  for_each             = local.devs
  name                 = each.key
  assume_role_policy   = local.ec2
  permissions_boundary = each.key == "delbound" ? aws_iam_policy.b.arn : each.key == "stuck" ? aws_iam_policy.narrow.arn : null
}
resource "aws_iam_role_policy" "dev" {
  for_each = local.devs
  role     = aws_iam_role.dev[each.key].name
  policy   = jsonencode({ Version = "2012-10-17", Statement = each.value })
}
