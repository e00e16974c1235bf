resource "aws_s3_bucket" "dev" {
  bucket = "acme-dev-features"
  tags   = { environment = "dev" }
}

resource "aws_s3_bucket" "prod" {
  bucket = "acme-prod-features"
  tags   = { environment = "prod" }
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
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::acme-*-features/*"
    }]
  })
}
