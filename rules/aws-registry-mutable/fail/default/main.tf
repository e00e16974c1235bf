resource "aws_ecr_repository" "serving" {
  name                 = "serving"
}
