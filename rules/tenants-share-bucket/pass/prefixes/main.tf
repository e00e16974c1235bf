resource "aws_s3_bucket" "weights" {
  bucket = "acme-weights"
}

resource "aws_iam_role" "training" {
  for_each           = toset(["birch", "cedar"])
  name               = "training-${each.key}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  tags               = { tenant = each.key }
}

resource "aws_iam_role_policy" "weights" {
  for_each = aws_iam_role.training
  role     = each.value.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "${aws_s3_bucket.weights.arn}/${each.key}/*" }]
  })
}
