resource "aws_s3_bucket" "weights" {
  bucket = "acme-weights"
}

resource "aws_iam_role" "serving" {
  for_each           = toset(["birch", "cedar"])
  name               = "serving-${each.key}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  tags               = { tenant = each.key }
}

resource "aws_iam_role_policy" "own" {
  for_each = aws_iam_role.serving
  role     = each.value.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.weights.arn}/$${aws:PrincipalTag/tenant}/*" }]
  })
}
