# The pipeline that deploys. Any repository of anyone may assume it, and it may do everything.
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
        StringLike = { "token.actions.githubusercontent.com:sub" = "repo:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "deploy" {
  role       = aws_iam_role.deploy.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

# The trainers of both tenants: the cluster's accounts of any namespace may assume them, and they read every bucket.
data "aws_iam_policy_document" "trainer" {
  statement {
    actions   = ["s3:*", "kms:*"]
    resources = ["*"]
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
        StringLike = { "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub" = "system:serviceaccount:*:trainer" }
      }
    }]
  })
  inline_policy {
    name   = "data"
    policy = data.aws_iam_policy_document.trainer.json
  }
}

# A notebook's user with a key that nobody has changed since.
resource "aws_iam_user" "notebook" {
  name = "notebook"
}

resource "aws_iam_access_key" "notebook" {
  user = aws_iam_user.notebook.name
}

resource "aws_iam_user_policy" "notebook" {
  user = aws_iam_user.notebook.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iam:PassRole", "lambda:*"], Resource = "*" }]
  })
}

resource "aws_iam_role" "housekeeping" {
  name = "housekeeping"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
  managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]
}
