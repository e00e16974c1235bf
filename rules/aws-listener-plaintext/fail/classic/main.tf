resource "aws_elb" "api" {
  name    = "api"
  subnets = ["subnet-0a1b2c3d"]
  listener {
    lb_port           = 80
    lb_protocol       = "http"
    instance_port     = 8000
    instance_protocol = "http"
  }
}
