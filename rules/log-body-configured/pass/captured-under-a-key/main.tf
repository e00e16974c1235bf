resource "aws_sagemaker_endpoint_configuration" "fraud" {
  name = "fraud"
  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 10
    destination_s3_uri          = "s3://acme-capture/"
    kms_key_id                  = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    capture_options {
      capture_mode = "Input"
    }
  }
  production_variants {
    model_name             = "fraud"
    variant_name           = "all"
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
  }
}
