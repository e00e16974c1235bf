provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

locals {
  spaces = { kept = "k-raysa", closed = "raysa", opened = "raysa" }
}

resource "aws_s3_bucket" "data" {
  for_each = local.spaces
  bucket   = "ray-${each.key}"
}

resource "aws_iam_role" "ray" {
  for_each = local.spaces
  name     = "ray-${each.key}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "pods.eks.amazonaws.com" }, Action = ["sts:AssumeRole", "sts:TagSession"] }] })
}

resource "aws_iam_role_policy" "ray" {
  for_each = local.spaces
  role     = aws_iam_role.ray[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:*"], Resource = [aws_s3_bucket.data[each.key].arn, "${aws_s3_bucket.data[each.key].arn}/*"] }] })
}

resource "aws_eks_pod_identity_association" "ray" {
  for_each        = local.spaces
  cluster_name    = "ml"
  namespace       = each.key
  service_account = each.value
  role_arn        = aws_iam_role.ray[each.key].arn
}
