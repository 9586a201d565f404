#!/bin/sh
terraform apply -auto-approve # cloudfront
