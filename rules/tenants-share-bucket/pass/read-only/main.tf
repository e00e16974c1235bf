resource "aws_s3_bucket" "base" {
  bucket = "acme-base-models"
}

resource "aws_iam_role" "serving" {
  for_each           = toset(["birch", "cedar"])
  name               = "serving-${each.key}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  tags               = { tenant = each.key }
}

resource "aws_iam_role_policy" "base" {
  for_each = aws_iam_role.serving
  role     = each.value.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.base.arn}/*" }]
  })
}
