resource "aws_cloudfront_vpc_origin" "api" {}
