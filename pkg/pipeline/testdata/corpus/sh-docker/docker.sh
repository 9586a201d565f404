#!/bin/sh
docker run --rm -v "$HOME/.aws:/root/.aws" amazon/aws-cli cloudfront delete-vpc-origin --id vo_1 --if-match "$E"
