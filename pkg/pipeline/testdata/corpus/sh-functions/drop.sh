#!/bin/bash
cf() { aws --region us-east-1 cloudfront "$@"; }
etag() { cf get-vpc-origin --id "$1" --query ETag --output text; }
drop() {
  cf delete-vpc-origin --id "$1" --if-match "$(etag "$1")"
}
drop "$1"
