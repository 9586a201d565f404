#!/usr/bin/env bash
# usage: cdn.sh save | restore; cdn.json is in git
set -e
case $1 in
  save) aws cloudfront get-distribution-config --id "$DIST" > cdn.json ;;
  restore)
    etag=$(aws cloudfront get-distribution-config --id "$DIST" --query ETag --output text)
    jq .DistributionConfig cdn.json > config.json
    aws cloudfront update-distribution --id "$DIST" --if-match "$etag" --distribution-config file://config.json ;;
esac
