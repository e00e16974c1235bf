terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_eks_cluster" "ml" {
  name     = "ml"
  role_arn = aws_iam_role.cluster.arn
  vpc_config {
    subnet_ids = ["subnet-1", "subnet-2"]
    endpoint_public_access = false
    endpoint_private_access = true
  }
}
resource "aws_iam_role" "cluster" {
  name               = "ml-cluster"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "eks.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
data "tls_certificate" "oidc" {
  url = aws_eks_cluster.ml.identity[0].oidc[0].issuer
}
resource "aws_iam_openid_connect_provider" "eks" {
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = [data.tls_certificate.oidc.certificates[0].sha1_fingerprint]
  url             = aws_eks_cluster.ml.identity[0].oidc[0].issuer
}
locals {
  oidc = replace(aws_iam_openid_connect_provider.eks.url, "https://", "")
  irsa = {
    trainer = { sub = "system:serviceaccount:ml:trainer", op = "StringEquals", bucket = aws_s3_bucket.train.arn }
    anyml   = { sub = "system:serviceaccount:ml:*", op = "StringLike", bucket = aws_s3_bucket.shared.arn }
    eqstar  = { sub = "system:serviceaccount:ml:*", op = "StringEquals", bucket = aws_s3_bucket.never.arn }
  }
}
data "aws_iam_policy_document" "irsa" {
  for_each = local.irsa
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.eks.arn]
    }
    condition {
      test     = each.value.op
      variable = "${local.oidc}:sub"
      values   = [each.value.sub]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.oidc}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "irsa" {
  for_each           = local.irsa
  name               = "irsa-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.irsa[each.key].json
}
resource "aws_iam_role_policy" "irsa" {
  for_each = local.irsa
  name     = "data"
  role     = aws_iam_role.irsa[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "${each.value.bucket}/*" }]
  })
}
resource "aws_s3_bucket" "train" { bucket = "acme-train" }
resource "aws_s3_bucket" "shared" { bucket = "acme-shared" }
resource "aws_s3_bucket" "never" { bucket = "acme-never" }
