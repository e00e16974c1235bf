
variable "team" { type = string }
variable "actions" { type = list(string) }
variable "bucket" { type = string }
resource "aws_iam_policy" "boundary" {
  name   = "boundary-${var.team}"
  policy = data.aws_iam_policy_document.b.json
}
data "aws_iam_policy_document" "b" {
  statement {
    actions   = var.actions
    resources = ["arn:aws:s3:::${var.bucket}/*", "arn:aws:s3:::${var.bucket}"]
  }
}
resource "aws_iam_role" "r" {
  name                 = "team-${var.team}"
  permissions_boundary = aws_iam_policy.boundary.arn
  assume_role_policy   = <<-EOT
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
  EOT
}
resource "aws_iam_role_policy_attachment" "admin" {
  role       = aws_iam_role.r.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
