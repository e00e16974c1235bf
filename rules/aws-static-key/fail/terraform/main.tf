resource "aws_iam_user" "trainer" {
  name = "trainer"
}

resource "aws_iam_access_key" "trainer" {
  user = aws_iam_user.trainer.name
}
