resource "aws_kms_key" "weights" {
  description         = "weights of all tenants"
  enable_key_rotation = true
}

resource "aws_iam_role" "serving" {
  for_each           = toset(["birch", "cedar"])
  name               = "serving-${each.key}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  tags               = { tenant = each.key }
}

resource "aws_iam_role_policy" "decrypt" {
  for_each = aws_iam_role.serving
  role     = each.value.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.weights.arn }]
  })
}
