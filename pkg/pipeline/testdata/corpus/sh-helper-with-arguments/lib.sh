#!/bin/bash
update() { # id, jq program
  local id=$1 program=$2 tmp
  tmp=$(mktemp)
  aws cloudfront get-distribution-config --id "$id" > "$tmp"
  aws cloudfront update-distribution --id "$id" --if-match "$(jq -r .ETag "$tmp")" \
    --distribution-config "$(jq ".DistributionConfig | $program" "$tmp")"
}
update E2ABCDEFGH '.CacheBehaviors.Items[0].MinTTL = 0'
