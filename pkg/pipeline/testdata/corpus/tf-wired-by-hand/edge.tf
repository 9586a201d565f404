resource "aws_cloudfront_distribution" "edge" {
  origin {
    domain_name = "api.internal"
    origin_id   = "api"
    vpc_origin_config { vpc_origin_id = aws_cloudfront_vpc_origin.api.id }
  }
  lifecycle { ignore_changes = all }
}
