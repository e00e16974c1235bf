resource "aws_s3_bucket" "birch" {
  bucket = "acme-birch-data"
  tags   = { tenant = "birch" }
}
resource "aws_s3_bucket" "cedar" {
  bucket = "acme-cedar-data"
  tags   = { tenant = "cedar" }
}

resource "aws_iam_role" "birch" {
  name = "birch-inference"
  tags = { tenant = "birch" }
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "birch" {
  role = aws_iam_role.birch.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "arn:aws:s3:::acme-*-data/*" }]
  })
}
