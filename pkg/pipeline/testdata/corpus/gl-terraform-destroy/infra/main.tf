resource "aws_cloudfront_vpc_origin" "api" {
  vpc_origin_endpoint_config {
    name = "api"
  }
}
resource "aws_ram_resource_association" "api" {
  resource_arn       = aws_cloudfront_vpc_origin.api.arn
  resource_share_arn = var.share
}
