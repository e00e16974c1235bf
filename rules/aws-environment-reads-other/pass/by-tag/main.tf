resource "aws_dynamodb_table" "dev" {
  name         = "features-dev"
  hash_key     = "id"
  billing_mode = "PAY_PER_REQUEST"
  tags         = { environment = "dev" }
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_dynamodb_table" "prod" {
  name         = "features-prod"
  hash_key     = "id"
  billing_mode = "PAY_PER_REQUEST"
  tags         = { environment = "prod" }
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_iam_role" "trainer" {
  name = "dev-trainer"
  tags = { environment = "dev" }
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "trainer" {
  role = aws_iam_role.trainer.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["dynamodb:GetItem", "dynamodb:Query"]
      Resource  = "arn:aws:dynamodb:*:*:table/features-*"
      Condition = { StringEquals = { "aws:ResourceTag/environment" = "$${aws:PrincipalTag/environment}" } }
    }]
  })
}
