#!/bin/bash
aws ram get-resource-shares --resource-owner SELF --output json | jq -r '.resourceShares[].resourceShareArn' | while read -r arn; do
  aws ram delete-resource-share --resource-share-arn "$arn"
done
