resource "aws_db_instance" "tracking" {
  identifier          = "mlflow"
  engine              = "postgres"
  instance_class      = "db.t4g.small"
  publicly_accessible = true
}
