# The pipeline that deploys: one repository, one branch, one audience, and what it deploys.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deploy" {
  name = "deploy"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:example/estate:ref:refs/heads/main"
        }
      }
    }]
  })
  inline_policy {
    name = "deploy"
    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = ["ecr:PutImage", "ecr:UploadLayerPart", "ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload"]
        Resource = aws_ecr_repository.server.arn
      }]
    })
  }
}

# Each tenant's trainer: its own namespace's account, its own data, and nothing else.
data "aws_iam_policy_document" "trainer" {
  for_each = toset(["tenant-a", "tenant-b"])
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.data[each.key].arn}/*"]
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.data[each.key].arn]
  }
}

resource "aws_iam_role" "trainer" {
  for_each = toset(["tenant-a", "tenant-b"])
  name     = "${each.key}-trainer"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE" }
      Condition = {
        StringEquals = {
          "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:aud" = "sts.amazonaws.com"
          "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub" = "system:serviceaccount:${each.key}:trainer"
        }
      }
    }]
  })
  inline_policy {
    name   = "data"
    policy = data.aws_iam_policy_document.trainer[each.key].json
  }
}

resource "aws_ecr_repository" "server" {
  name                 = "server"
  image_tag_mutability = "IMMUTABLE"
}
