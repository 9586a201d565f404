module "origin" { source = "../modules/origin" }
