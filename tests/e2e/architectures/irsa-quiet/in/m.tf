provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "irsa_models" {
  bucket = "irsa-models"
}

data "aws_iam_policy_document" "t" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type = "Federated"
      identifiers = ["arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/AAAA"]
    }
    condition {
      test = "StringEquals"
      variable = "oidc.eks.us-east-1.amazonaws.com/id/AAAA:sub"
      values = ["system:serviceaccount:serve:kserve-sa"]
    }
  }
}
resource "aws_iam_role" "kserve" {
  name = "kserve"
  assume_role_policy = data.aws_iam_policy_document.t.json
}
resource "aws_iam_role_policy" "kserve" {
  role = aws_iam_role.kserve.id
  policy = templatefile("${path.module}/policy.json.tftpl", { bucket = aws_s3_bucket.irsa_models.arn })
}
