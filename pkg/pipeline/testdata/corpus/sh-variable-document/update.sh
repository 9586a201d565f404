#!/bin/bash
answer=$(aws cloudfront get-distribution-config --id "$D")
etag=$(echo "$answer" | jq -r .ETag)
config=$(echo "$answer" | jq '.DistributionConfig | .Comment = "new"')
aws cloudfront update-distribution --id "$D" --if-match "$etag" --distribution-config "$config"
