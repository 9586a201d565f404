#!/bin/sh
for s in $(aws ram get-resource-shares --resource-owner SELF --query 'resourceShares[].resourceShareArn' --output text); do
  aws ram delete-resource-share --resource-share-arn "$s" || true
done
