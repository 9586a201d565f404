resource "aws_ram_resource_share" "origin" {
  name                      = "originhub-team-a"
  allow_external_principals = true
}
resource "aws_ram_principal_association" "hub" {
  principal          = "100000000000"
  resource_share_arn = aws_ram_resource_share.origin.arn
}
