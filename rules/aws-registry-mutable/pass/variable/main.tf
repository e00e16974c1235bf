variable "mutability" {
  type = string
}

resource "aws_ecr_repository" "serving" {
  name                 = "serving"
  image_tag_mutability = var.mutability
}
