#!/bin/bash
aws cloudfront tag-resource --resource "$ARN" --tags 'Items=[{Key=originhub:teardown,Value=now}]'
until aws cloudfront get-vpc-origin --id "$VO" 2>&1 | grep -q EntityNotFound; do sleep 30; done
