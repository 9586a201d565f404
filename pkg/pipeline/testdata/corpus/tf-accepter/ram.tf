resource "aws_ram_resource_share_accepter" "origin" {
  provider  = aws.hub
  share_arn = var.share_arn
}
